//! The constant that describes a field: its attributes as calls of `condotta::params::Field`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, Expr, GenericArgument, PathArguments, Result, Type, spanned::Spanned as _};

use crate::{
    attributes::{self, Comparison, DefaultValue, FieldAttributes},
    builder,
    class::Param,
};

/// The constant that describes a field.
pub(crate) fn constant(param: &Param<'_>) -> Result<TokenStream> {
    let (ty, name, attributes) = (param.ty, &param.name, &param.attributes);
    let constant = param.constant();
    let description = &attributes.description;
    let start = match &attributes.with {
        Some(module) => quote! {
            ::condotta::params::Field::<#ty>::with(
                #name,
                #description,
                |text| #module::parse(text).map_err(::condotta::parameter::ParseError::new),
                |value| #module::serialize(value),
            )
        },
        None => quote_spanned! {ty.span()=>
            ::condotta::params::Field::<#ty>::new(#name, #description)
        },
    };
    let calls = [
        default_call(param),
        plain_calls(attributes),
        choices_call(param),
        permitted_call(param)?,
        next_call(param),
        check_call(param),
    ];
    Ok(quote! {
        #[allow(non_upper_case_globals, reason = "named after the field")]
        const #constant: ::condotta::params::Field<#ty> = #start #(#calls)*;
    })
}

fn default_call(param: &Param<'_>) -> TokenStream {
    let ty = param.ty;
    let value = match &param.attributes.default {
        None => return TokenStream::new(),
        Some(DefaultValue::OfType) => quote! {
            ::core::result::Result::Ok(<#ty as ::core::default::Default>::default())
        },
        Some(DefaultValue::Value(value)) if attributes::text(value).is_some() => {
            let parse = function(param, ty, "parse");
            quote!(#parse(#value).map_err(::condotta::parameter::ParseError::new))
        }
        Some(DefaultValue::Value(value)) => quote_spanned!(value.span()=> {
            let value: #ty = #value;
            ::core::result::Result::Ok(value)
        }),
    };
    quote!(.default(|| ::core::option::Option::Some(#value)))
}

fn plain_calls(attributes: &FieldAttributes) -> TokenStream {
    let mut calls = TokenStream::new();
    if attributes.significant == Some(false) {
        calls.extend(quote!(.insignificant()));
    }
    if let Some(visibility) = &attributes.visibility {
        calls.extend(quote!(.visibility(::condotta::__private::Visibility::#visibility)));
    }
    if attributes.positional == Some(false) {
        calls.extend(quote!(.named_only()));
    }
    if attributes.always_in_help {
        calls.extend(quote!(.always_in_help()));
    }
    if let Some(explicit) = attributes.explicit {
        let kind = if explicit {
            quote!(OptionalBool)
        } else {
            quote!(Switch)
        };
        calls.extend(quote!(.flag(::condotta::class::FlagKind::#kind)));
    }
    if let Some((section, name)) = &attributes.config {
        calls.extend(quote!(.config(#section, #name)));
    }
    if let Some(method) = &attributes.batch_method {
        let method = match method.get_ident().map(Ident::to_string).as_deref() {
            Some("max" | "min" | "concat") => quote!(::condotta::parameter::#method),
            _ => quote!(#method),
        };
        calls.extend(quote!(.batch(#method)));
    }
    calls
}

fn choices_call(param: &Param<'_>) -> TokenStream {
    if param.attributes.choices.is_empty() {
        return TokenStream::new();
    }
    let serialize = function(param, bare(param), "serialize");
    let texts = param.attributes.choices.iter().map(|choice| {
        let value = value_of(param, choice);
        quote!(#serialize(&#value))
    });
    quote!(.choices(|| ::std::vec![#(#texts),*]))
}

/// The range in the words of Luigi's `NumericalParameter`, as in `int in [0, 100)`.
fn permitted_call(param: &Param<'_>) -> Result<TokenStream> {
    let attributes = &param.attributes;
    if attributes.min.is_none() && attributes.max.is_none() {
        if attributes.left_op.is_some() || attributes.right_op.is_some() {
            return Err(Error::new(
                param.ident.span(),
                "`left_op` and `right_op` need `min` or `max`",
            ));
        }
        return Ok(TokenStream::new());
    }
    let ty = bare(param);
    let serialize = function(param, ty, "serialize");
    let end = |limit: &Option<Expr>, infinite: &str| match limit {
        Some(limit) => {
            let value = value_of(param, limit);
            quote!(#serialize(&#value))
        }
        None => quote!(#infinite),
    };
    let (min, max) = (end(&attributes.min, "-inf"), end(&attributes.max, "inf"));
    let open = if left(attributes) == Comparison::LessOrEqual {
        "["
    } else {
        "("
    };
    let close = if right(attributes) == Comparison::LessOrEqual {
        "]"
    } else {
        ")"
    };
    let type_name = match builder::last_segment(ty).unwrap_or_default() {
        name if name.starts_with('f') => "float".to_owned(),
        name if name.starts_with(['i', 'u']) => "int".to_owned(),
        name => name,
    };
    let format = format!("{type_name} in {open}{{}}, {{}}{close}");
    Ok(quote!(.permitted(|| ::std::format!(#format, #min, #max))))
}

fn left(attributes: &FieldAttributes) -> Comparison {
    attributes.left_op.unwrap_or(Comparison::LessOrEqual)
}

fn right(attributes: &FieldAttributes) -> Comparison {
    attributes.right_op.unwrap_or(Comparison::Less)
}

fn next_call(param: &Param<'_>) -> TokenStream {
    match &param.attributes.interval {
        Some(interval) => {
            quote!(.next(|value| ::condotta::parameter::Periodic::step(*value, #interval)))
        }
        None => TokenStream::new(),
    }
}

/// What is done to every value: the grid first, then the range and the choices.
fn check_call(param: &Param<'_>) -> TokenStream {
    let attributes = &param.attributes;
    let mut steps = TokenStream::new();
    if let Some(interval) = &attributes.interval {
        let start = match &attributes.start {
            Some(start) => value_of(param, start),
            None => quote!(::condotta::parameter::Periodic::epoch()),
        };
        steps.extend(quote! {
            *value = ::condotta::parameter::Periodic::floor(*value, #interval, #start);
        });
    }
    let compare = |limit: &Expr, comparison: Comparison, above: bool| {
        let limit = value_of(param, limit);
        match (comparison, above) {
            (Comparison::Less, true) => quote!(#limit < *value),
            (Comparison::LessOrEqual, true) => quote!(#limit <= *value),
            (Comparison::Less, false) => quote!(*value < #limit),
            (Comparison::LessOrEqual, false) => quote!(*value <= #limit),
        }
    };
    let above = attributes
        .min
        .iter()
        .map(|min| compare(min, left(attributes), true));
    let below = attributes
        .max
        .iter()
        .map(|max| compare(max, right(attributes), false));
    let constant = param.constant();
    for condition in above.chain(below) {
        steps.extend(quote!(if !(#condition) { return Self::#constant.not_permitted(); }));
    }
    if !attributes.choices.is_empty() {
        let serialize = function(param, bare(param), "serialize");
        steps.extend(quote!(Self::#constant.check_choice(&#serialize(value))?;));
    }
    if steps.is_empty() {
        return TokenStream::new();
    }
    // What may be absent is checked where it is there.
    let steps = match optional(param) {
        Some(_) => quote!(if let ::core::option::Option::Some(value) = value { #steps }),
        None => steps,
    };
    quote!(.check(|value| {
        #steps
        ::core::result::Result::Ok(())
    }))
}

/// A value of the type, or of what an `Option` holds: a text is read as on the command line.
fn value_of(param: &Param<'_>, value: &Expr) -> TokenStream {
    let ty = bare(param);
    if attributes::text(value).is_some() {
        let parse = function(param, ty, "parse");
        return quote! {
            #parse(#value).expect("a value in an attribute is one of the parameter's type")
        };
    }
    quote_spanned!(value.span()=> { let value: #ty = #value; value })
}

/// The function that parses or serializes: the type's, or that of the module in `with`.
fn function(param: &Param<'_>, ty: &Type, name: &str) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    match &param.attributes.with {
        Some(module) => quote!(#module::#name),
        None => quote!(<#ty as ::condotta::parameter::Parameter>::#name),
    }
}

/// The type itself, or what an `Option` holds.
fn bare<'a>(param: &Param<'a>) -> &'a Type {
    optional(param).unwrap_or(param.ty)
}

/// What an `Option` holds. A module in `with` is asked for the `Option` as a whole.
fn optional<'a>(param: &Param<'a>) -> Option<&'a Type> {
    let Type::Path(path) = param.ty else {
        return None;
    };
    let segment = path.path.segments.last();
    let segment =
        segment.filter(|segment| segment.ident == "Option" && param.attributes.with.is_none())?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}
