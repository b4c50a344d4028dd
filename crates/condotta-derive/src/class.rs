//! `#[derive(Task)]` and `#[derive(Config)]`: fields become parameters.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Data, DeriveInput, Error, Expr, Fields, GenericArgument, LitStr, PathArguments, Result, Type,
    ext::IdentExt as _, spanned::Spanned as _,
};

use crate::{
    attributes::{self, Comparison, DefaultValue, FieldAttributes},
    builder,
};

/// What the struct is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Task,
    Config,
}

/// A field that is a parameter.
pub(crate) struct Param<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) name: String,
    pub(crate) attributes: FieldAttributes,
}

impl Param<'_> {
    /// The constant that describes the field.
    pub(crate) fn constant(&self) -> Ident {
        format_ident!("__PARAM_{}", self.name)
    }
}

pub(crate) fn derive(input: &DeriveInput, kind: Kind) -> TokenStream {
    class(input, kind).unwrap_or_else(|error| {
        // With a class without parameters beside it, the error stays alone.
        let error = error.into_compile_error();
        let builder = builder::expand_broken(input);
        let parameters = parameters_impl(input, &[], &quote!(::std::string::String::new()));
        quote!(#error #builder #parameters)
    })
}

fn class(input: &DeriveInput, kind: Kind) -> Result<TokenStream> {
    let (params, skipped) = fields(input)?;
    let family = family(input, kind)?;
    let constants = params
        .iter()
        .map(field_constant)
        .collect::<Result<Vec<_>>>()?;
    let parameters = parameters_impl(input, &params, &family);
    let builder = builder::expand(input, &params, &skipped);
    let registration = registration(input, kind);
    let class = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #builder

        impl #impl_generics #class #type_generics #where_clause {
            #(#constants)*
        }

        #parameters
        #registration
    })
}

/// The fields that are parameters, and those that are not.
fn fields(input: &DeriveInput) -> Result<(Vec<Param<'_>>, Vec<&Ident>)> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(
            input.ident.span(),
            "only a struct can have parameters",
        ));
    };
    if let Fields::Unnamed(fields) = &data.fields {
        return Err(Error::new(
            fields.span(),
            "parameters need names: use a struct with named fields",
        ));
    }
    let (mut params, mut skipped) = (Vec::new(), Vec::new());
    for field in &data.fields {
        let ident = field.ident.as_ref().expect("checked: fields have names");
        let attributes = FieldAttributes::read(&field.attrs)?;
        if attributes.skip || builder::last_segment(&field.ty).as_deref() == Some("PhantomData") {
            skipped.push(ident);
            continue;
        }
        params.push(Param {
            ident,
            ty: &field.ty,
            name: ident.unraw().to_string(),
            attributes,
        });
    }
    Ok((params, skipped))
}

/// An expression for the family or section.
fn family(input: &DeriveInput, kind: Kind) -> Result<TokenStream> {
    if kind == Kind::Task {
        let span = input.ident.span();
        return Ok(quote_spanned!(span=> <Self as ::condotta::task::Task>::family()));
    }
    let mut section = LitStr::new(&input.ident.unraw().to_string(), input.ident.span());
    for attribute in input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("config"))
    {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("section") {
                return Err(meta.error("expected `section = \"…\"`"));
            }
            section = meta.value()?.parse()?;
            Ok(())
        })?;
    }
    Ok(quote!(::std::string::String::from(#section)))
}

fn parameters_impl(input: &DeriveInput, params: &[Param<'_>], family: &TokenStream) -> TokenStream {
    let class = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let name = class.unraw().to_string();
    let description = attributes::doc_comment(&input.attrs, "\n");
    let fields: Vec<&Ident> = params.iter().map(|param| param.ident).collect();
    let names: Vec<&String> = params.iter().map(|param| &param.name).collect();
    let constants: Vec<Ident> = params.iter().map(Param::constant).collect();
    let shared = if input.generics.params.is_empty() {
        quote! {
            static CLASS: ::std::sync::OnceLock<::condotta::params::Class> =
                ::std::sync::OnceLock::new();
            CLASS.get_or_init(::condotta::params::Class::of::<Self>)
        }
    } else {
        quote!(::condotta::params::Class::of_generic::<Self>())
    };
    quote! {
        #[automatically_derived]
        impl #impl_generics ::condotta::params::Parameters for #class #type_generics #where_clause {
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;

            fn family() -> ::std::string::String {
                #family
            }

            fn specs() -> ::std::vec::Vec<::condotta::class::ParamSpec> {
                ::std::vec![#(Self::#constants.spec()),*]
            }

            fn class() -> &'static ::condotta::params::Class {
                #shared
            }

            fn from_source(
                source: &dyn ::condotta::class::ParamSource,
            ) -> ::core::result::Result<Self, ::condotta::class::ParamError> {
                Self::builder().__from_source(source)
            }

            fn values(&self) -> ::std::vec::Vec<::std::string::String> {
                ::std::vec![#(Self::#constants.serialize(&self.#fields)),*]
            }

            fn normalize(&mut self) -> ::core::result::Result<(), ::condotta::class::ParamError> {
                #(Self::#constants.normalize(Self::class, &mut self.#fields)?;)*
                ::core::result::Result::Ok(())
            }

            fn next_in_enumeration(
                param: &str,
                _value: &str,
            ) -> ::core::option::Option<::std::string::String> {
                match param {
                    #(#names => Self::#constants.next_text(_value),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}

/// Generic classes can't be listed; `register` takes them.
fn registration(input: &DeriveInput, kind: Kind) -> TokenStream {
    let class = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let config = (kind == Kind::Config).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics ::condotta::task::Config for #class #type_generics #where_clause {}
        }
    });
    let submit = input.generics.params.is_empty().then(|| {
        let of = match kind {
            Kind::Task => {
                quote_spanned!(class.span()=> ::condotta::class::TaskClass::of_task::<#class>())
            }
            Kind::Config => quote!(::condotta::class::TaskClass::of_config::<#class>()),
        };
        quote!(::condotta::__private::inventory::submit! { #of })
    });
    quote!(#config #submit)
}

/// The constant that describes a field.
fn field_constant(param: &Param<'_>) -> Result<TokenStream> {
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
            match &param.attributes.with {
                Some(module) => quote! {
                    #module::parse(#value).map_err(::condotta::parameter::ParseError::new)
                },
                None => quote!(<#ty as ::condotta::parameter::Parameter>::parse(#value)),
            }
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
    let ty = bare(param.ty);
    let texts = param.attributes.choices.iter().map(|choice| {
        let value = value_of(ty, choice);
        quote!(<#ty as ::condotta::parameter::Parameter>::serialize(&#value))
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
    let ty = bare(param.ty);
    let end = |limit: &Option<Expr>, infinite: &str| match limit {
        Some(limit) => {
            let value = value_of(ty, limit);
            quote!(<#ty as ::condotta::parameter::Parameter>::serialize(&#value))
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
    let ty = bare(param.ty);
    let mut steps = TokenStream::new();
    if let Some(interval) = &attributes.interval {
        let start = match &attributes.start {
            Some(start) => value_of(ty, start),
            None => quote!(::condotta::parameter::Periodic::epoch()),
        };
        steps.extend(quote! {
            *value = ::condotta::parameter::Periodic::floor(*value, #interval, #start);
        });
    }
    let compare = |limit: &Expr, comparison: Comparison, above: bool| {
        let limit = value_of(ty, limit);
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
        steps.extend(quote!(Self::#constant.check_choice(
            &<#ty as ::condotta::parameter::Parameter>::serialize(value)
        )?;));
    }
    if steps.is_empty() {
        return TokenStream::new();
    }
    // What may be absent is checked where it is there.
    let steps = match optional(param.ty) {
        Some(_) => quote!(if let ::core::option::Option::Some(value) = value { #steps }),
        None => steps,
    };
    quote!(.check(|value| {
        #steps
        ::core::result::Result::Ok(())
    }))
}

/// A value of the type: a text is read as on the command line.
fn value_of(ty: &Type, value: &Expr) -> TokenStream {
    if attributes::text(value).is_some() {
        return quote! {
            <#ty as ::condotta::parameter::Parameter>::parse(#value)
                .expect("a value in an attribute is one of the parameter's type")
        };
    }
    quote_spanned!(value.span()=> { let value: #ty = #value; value })
}

/// The type itself, or what an `Option` holds.
fn bare(ty: &Type) -> &Type {
    optional(ty).unwrap_or(ty)
}

fn optional(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}
