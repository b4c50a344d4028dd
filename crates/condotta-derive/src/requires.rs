//! `#[derive(Requires)]`: a struct of tasks, and a struct of their targets.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Result};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => &data.fields,
        _ => {
            let message =
                "`Requires` is for structs with named fields, each a task or a shape of tasks";
            return Err(Error::new(input.ident.span(), message));
        }
    };
    let (tasks, visibility) = (&input.ident, &input.vis);
    let targets = format_ident!("{tasks}Targets");
    let docs = format!("The targets of [`{tasks}`].");
    let names: Vec<_> = fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let visibilities = fields.iter().map(|field| &field.vis);
    let field_docs = names.iter().map(|name| format!("Those of `{name}`."));
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #[doc = #docs]
        #[allow(dead_code, reason = "who does not need a target does not read it")]
        #visibility struct #targets #impl_generics #where_clause {
            #(
                #[doc = #field_docs]
                #visibilities #names: <#types as ::condotta::task::Requires>::Input,
            )*
        }

        #[automatically_derived]
        impl #impl_generics ::condotta::task::Requires for #tasks #type_generics #where_clause {
            type Input = #targets #type_generics;
            const FALLIBLE: bool = false #(|| <#types as ::condotta::task::Requires>::FALLIBLE)*;

            fn into_tasks(
                self,
                tasks: &mut ::std::vec::Vec<::condotta::__private::TaskHandle>,
            ) -> ::condotta::Result<()> {
                #(::condotta::task::Requires::into_tasks(self.#names, tasks)?;)*
                ::core::result::Result::Ok(())
            }

            fn into_input(
                self,
                mut tasks: ::core::option::Option<
                    &mut ::std::vec::Vec<::condotta::__private::TaskHandle>,
                >,
            ) -> ::condotta::Result<Self::Input> {
                ::core::result::Result::Ok(#targets {
                    #(#names: ::condotta::task::Requires::into_input(
                        self.#names,
                        tasks.as_deref_mut(),
                    )?,)*
                })
            }
        }
    })
}
