//! The builder of a class: gives some parameters a value and finds the others.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{DeriveInput, Type};

use crate::class::Param;

/// Names that the builder needs for itself.
const TAKEN: [&str; 3] = ["build", "inherit", "from_source"];

pub(crate) fn name(input: &DeriveInput) -> Ident {
    format_ident!("{}Builder", input.ident)
}

pub(crate) fn expand(input: &DeriveInput, params: &[Param<'_>], skipped: &[&Ident]) -> TokenStream {
    let (class, visibility) = (&input.ident, &input.vis);
    let builder = name(input);
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let fields: Vec<&Ident> = params.iter().map(|param| param.ident).collect();
    let types: Vec<&Type> = params.iter().map(|param| param.ty).collect();
    let constants: Vec<Ident> = params.iter().map(Param::constant).collect();
    let setters = params.iter().filter_map(|param| setter(input, param));
    let docs = format!(
        "Builds a [`{class}`]: what it is not given comes from the command line, the configuration \
         or defaults."
    );
    let marker = quote!(::core::marker::PhantomData<fn() -> #class #type_generics>);
    quote! {
        #[doc = #docs]
        #[must_use]
        #[allow(private_interfaces, reason = "a setter is as visible as the struct")]
        #visibility struct #builder #impl_generics #where_clause {
            #(#fields: ::core::option::Option<#types>,)*
            __inherited: ::condotta::__private::Inherited,
            __of: #marker,
        }

        #[allow(dead_code, private_interfaces, reason = "it is there for whoever wants it")]
        impl #impl_generics #class #type_generics #where_clause {
            #[doc = #docs]
            #visibility fn builder() -> #builder #type_generics {
                #builder {
                    #(#fields: ::core::option::Option::None,)*
                    __inherited: ::core::default::Default::default(),
                    __of: ::core::marker::PhantomData,
                }
            }
        }

        #[allow(dead_code, private_interfaces, reason = "it is there for whoever wants it")]
        impl #impl_generics #builder #type_generics #where_clause {
            #(#setters)*

            /// Takes the values of parameters of the same name from another task.
            #visibility fn inherit<__T: ::condotta::params::Parameters>(mut self, other: &__T) -> Self {
                self.__inherited.take(other);
                self
            }

            /// Finds the other values.
            ///
            /// # Errors
            /// A parameter has no value, or one that is not permitted.
            #visibility fn build(
                mut self,
            ) -> ::core::result::Result<#class #type_generics, ::condotta::class::ParamError> {
                let inherited = ::core::mem::take(&mut self.__inherited);
                self.__from_source(&inherited)
            }

            fn __from_source(
                self,
                _source: &dyn ::condotta::class::ParamSource,
            ) -> ::core::result::Result<#class #type_generics, ::condotta::class::ParamError> {
                let _class = <#class #type_generics as ::condotta::params::Parameters>::class();
                ::core::result::Result::Ok(#class {
                    #(#fields: <#class #type_generics>::#constants.resolve(_class, _source, self.#fields)?,)*
                    #(#skipped: ::core::default::Default::default(),)*
                })
            }
        }
    }
}

/// A builder that builds nothing, for a struct whose derive failed.
pub(crate) fn expand_broken(input: &DeriveInput) -> TokenStream {
    let (class, builder) = (&input.ident, name(input));
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        impl #impl_generics #class #type_generics #where_clause {
            fn builder() -> #builder { #builder }
        }

        struct #builder;

        impl #builder {
            fn __from_source<T>(
                self,
                _source: &dyn ::condotta::class::ParamSource,
            ) -> ::core::result::Result<T, ::condotta::class::ParamError> {
                loop {}
            }
        }
    }
}

fn setter(input: &DeriveInput, param: &Param<'_>) -> Option<TokenStream> {
    let (field, ty, visibility) = (param.ident, param.ty, &input.vis);
    if TAKEN.contains(&param.name.as_str()) {
        return None;
    }
    let docs = match param.attributes.description.as_str() {
        "" => format!("Sets `{}`.", param.name),
        description => description.to_owned(),
    };
    // Texts and paths are mostly at hand in another type; for numbers, `Into` would spoil inference.
    let (taken, value) = match last_segment(ty).as_deref() {
        Some("String" | "PathBuf") => (
            quote!(impl ::core::convert::Into<#ty>),
            quote!(::core::convert::Into::into(value)),
        ),
        _ => (quote!(#ty), quote!(value)),
    };
    Some(quote! {
        #[doc = #docs]
        #visibility fn #field(mut self, value: #taken) -> Self {
            self.#field = ::core::option::Option::Some(#value);
            self
        }
    })
}

/// The name of a type without its path and its arguments.
pub(crate) fn last_segment(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string()),
        _ => None,
    }
}
