//! `#[derive(ParameterEnum)]`: an enum without fields, written by the names of its variants.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Result, Variant, ext::IdentExt as _};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new(
            input.ident.span(),
            "`ParameterEnum` is for enums",
        ));
    };
    let names = data.variants.iter().map(name).collect::<Result<Vec<_>>>()?;
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let ident = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl ::condotta::parameter::Parameter for #ident {
            fn parse(
                text: &str,
            ) -> ::core::result::Result<Self, ::condotta::parameter::ParseError> {
                match text {
                    #(#names => ::core::result::Result::Ok(Self::#variants),)*
                    _ => {
                        let choices: [&str; _] = [#(#names),*];
                        ::core::result::Result::Err(::condotta::parameter::ParseError::new(
                            ::std::format!("expected one of {}", choices.join(", ")),
                        ))
                    }
                }
            }

            fn serialize(&self) -> ::std::string::String {
                ::std::string::String::from(match self {
                    #(Self::#variants => #names,)*
                })
            }

            fn choices() -> ::std::vec::Vec<::std::string::String> {
                ::std::vec![#(::std::string::String::from(#names)),*]
            }
        }
    })
}

fn name(variant: &Variant) -> Result<LitStr> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new(
            variant.ident.span(),
            "a variant with fields has no text",
        ));
    }
    let mut name = LitStr::new(&variant.ident.unraw().to_string(), variant.ident.span());
    for attribute in variant
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("param"))
    {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("expected `name = \"…\"`"));
            }
            name = meta.value()?.parse()?;
            Ok(())
        })?;
    }
    Ok(name)
}
