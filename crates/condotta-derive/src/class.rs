//! `#[derive(Task)]` and `#[derive(Config)]`: fields become parameters.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Data, DeriveInput, Error, Fields, LitStr, Result, Type, ext::IdentExt as _,
    spanned::Spanned as _,
};

use crate::{
    attributes::{self, FieldAttributes},
    builder, field,
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
        .map(field::constant)
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
