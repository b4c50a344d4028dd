//! `#[task] impl Task for X { … }`: associated types from signatures, and what is absent.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{
    Error, Ident, ImplItem, ImplItemFn, ItemImpl, LitStr, Result, ReturnType, Type,
    meta::ParseNestedMeta, parse::Parser as _, spanned::Spanned as _,
};

use crate::hint;

/// The methods of a task, and how what they return becomes what the trait says.
const METHODS: [(&str, Returns); 16] = [
    ("requires", Returns::Associated("Requires")),
    ("output", Returns::Associated("Output")),
    ("run", Returns::Fallible("()")),
    ("complete", Returns::Fallible("bool")),
    ("bulk_complete", Returns::Fallible("::std::vec::Vec<bool>")),
    ("priority", Returns::Number),
    ("resources", Returns::Resources),
    ("retry_policy", Returns::AsDeclared),
    ("worker_timeout", Returns::Timeout),
    ("disabled", Returns::AsDeclared),
    ("max_batch_size", Returns::Count),
    ("accepts_messages", Returns::AsDeclared),
    ("owners", Returns::Owners),
    ("on_success", Returns::Success),
    ("on_failure", Returns::AsDeclared),
    ("family", Returns::AsDeclared),
];

#[derive(Clone, Copy)]
enum Returns {
    /// What is written becomes this associated type.
    Associated(&'static str),
    /// What the trait says.
    AsDeclared,
    /// This, or a `Result` of it with any error.
    Fallible(&'static str),
    /// Any type that becomes an `f64`.
    Number,
    /// A count or an `Option` of one.
    Count,
    /// Any type with `IntoResources`.
    Resources,
    /// A length of time or an `Option` of one.
    Timeout,
    /// Any type with `IntoOwners`.
    Owners,
    /// Nothing, a message, or a result of these.
    Success,
}

pub(crate) fn expand(arguments: TokenStream, item: ItemImpl) -> TokenStream {
    let (generics, of) = (item.generics.clone(), item.self_ty.clone());
    completed(arguments, item).unwrap_or_else(|error| {
        // With an empty task beside it, the error stays alone.
        let error = error.into_compile_error();
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let items = absent(&Arguments::default(), &|_| false);
        quote! {
            #error
            impl #impl_generics ::condotta::task::Task for #of #where_clause { #items }
        }
    })
}

fn completed(arguments: TokenStream, mut item: ItemImpl) -> Result<TokenStream> {
    let arguments = Arguments::read(arguments)?;
    check_trait(&item)?;
    let present: Vec<(String, Span)> = item.items.iter().filter_map(name_of).collect();
    arguments.check(&present)?;
    let has = |name: &str| present.iter().any(|(present, _)| present == name);
    let mut types = TokenStream::new();
    for entry in &mut item.items {
        let ImplItem::Fn(method) = entry else {
            continue;
        };
        if let Some((associated, declared)) = adapt(method)?
            && !has(&format!("type {associated}"))
        {
            types.extend(quote_spanned!(declared.span()=> type #associated = #declared;));
        }
    }
    let absent = absent(&arguments, &has);
    item.items.push(ImplItem::Verbatim(quote!(#types #absent)));
    Ok(item.into_token_stream())
}

/// A method's name, or that of an associated type after `type`.
fn name_of(item: &ImplItem) -> Option<(String, Span)> {
    match item {
        ImplItem::Fn(method) => Some((method.sig.ident.to_string(), method.sig.ident.span())),
        ImplItem::Type(declared) => {
            Some((format!("type {}", declared.ident), declared.ident.span()))
        }
        _ => None,
    }
}

fn check_trait(item: &ItemImpl) -> Result<()> {
    let named = item
        .trait_
        .as_ref()
        .and_then(|(_, path, _)| path.segments.last());
    match named {
        Some(last) if last.ident == "Task" => Ok(()),
        Some(last) => Err(Error::new(
            last.ident.span(),
            "`#[task]` belongs on `impl Task for …`; what Luigi calls an external task or a wrapper \
             task is `#[task(external)]` or `#[task(wrapper)]`",
        )),
        None => Err(Error::new(
            item.self_ty.span(),
            "`#[task]` belongs on `impl Task for …`",
        )),
    }
}

/// What `#[task(…)]` says.
#[derive(Default)]
struct Arguments {
    external: Option<Span>,
    wrapper: Option<Span>,
    namespace: Option<LitStr>,
    family: Option<LitStr>,
}

impl Arguments {
    fn read(arguments: TokenStream) -> Result<Self> {
        let mut found = Self::default();
        let parser = syn::meta::parser(|meta| found.read_one(&meta));
        parser.parse2(arguments)?;
        Ok(found)
    }

    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = meta
            .path
            .get_ident()
            .map(Ident::to_string)
            .unwrap_or_default();
        match name.as_str() {
            "external" => self.external = Some(meta.path.span()),
            "wrapper" => self.wrapper = Some(meta.path.span()),
            "namespace" => self.namespace = Some(meta.value()?.parse()?),
            "family" => self.family = Some(meta.value()?.parse()?),
            _ => {
                let known = ["external", "wrapper", "namespace", "family"];
                return Err(meta.error(hint::unknown("task attribute", &name, &known)));
            }
        }
        Ok(())
    }

    /// Refuses what contradicts itself.
    fn check(&self, present: &[(String, Span)]) -> Result<()> {
        let find = |name: &str| present.iter().find(|(present, _)| present == name);
        if let (Some(_), Some((_, span))) = (self.external, find("run")) {
            return Err(Error::new(
                *span,
                "an external task is not run: somebody else makes its output",
            ));
        }
        if let (Some(_), Some((_, span))) = (self.wrapper, find("complete")) {
            return Err(Error::new(
                *span,
                "a wrapper task is complete when all that it requires is",
            ));
        }
        if let (Some(family), Some((_, span))) = (&self.family, find("family")) {
            let _ = family;
            return Err(Error::new(
                *span,
                "the family is in `#[task(family = …)]` already",
            ));
        }
        Ok(())
    }
}

/// Brings a method to the trait's signature. Returns the associated type that it stands for.
fn adapt(method: &mut ImplItemFn) -> Result<Option<(Ident, Type)>> {
    let name = method.sig.ident.to_string();
    let Some((_, returns)) = METHODS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = METHODS.iter().map(|(known, _)| *known).collect();
        let text = hint::unknown("method of a task", &name, &known);
        let place = " (the task's own methods belong in an `impl` without `Task for`)";
        return Err(Error::new(method.sig.ident.span(), text + place));
    };
    if name == "run" && method.sig.inputs.len() == 1 {
        method
            .sig
            .inputs
            .push(syn::parse_quote!(_run: &::condotta::task::Run<'_, Self>));
    }
    let (declared, span) = match &method.sig.output {
        ReturnType::Default => (syn::parse_quote!(()), method.sig.ident.span()),
        ReturnType::Type(_, declared) => ((**declared).clone(), declared.span()),
    };
    if let Type::ImplTrait(_) = declared {
        return Err(Error::new(
            span,
            "name the type: others have to know what they get",
        ));
    }
    if let Returns::Associated(associated) = returns {
        if matches!(method.sig.output, ReturnType::Default) {
            method.sig.output = syn::parse_quote!(-> ());
        }
        return Ok(Some((Ident::new(associated, Span::call_site()), declared)));
    }
    if let Some((to, convert)) = conversion(*returns, span)? {
        let block = &method.block;
        method.sig.output = syn::parse2(quote!(-> #to))?;
        method.block = syn::parse2(quote_spanned!(span=> {
            #[allow(clippy::redundant_closure_call, reason = "`return` and `?` are the closure's")]
            let result: #declared = (|| -> #declared #block)();
            #convert(result)
        }))?;
    }
    Ok(None)
}

/// The type that the trait says, and the function that makes it of what the method returns.
fn conversion(returns: Returns, span: Span) -> Result<Option<(TokenStream, TokenStream)>> {
    let (to, convert) = match returns {
        Returns::Associated(_) | Returns::AsDeclared => return Ok(None),
        Returns::Fallible(to) => {
            let to: Type = syn::parse_str(to)?;
            (
                quote!(::condotta::Result<#to>),
                quote!(::condotta::task::IntoResult::<#to>::into_result),
            )
        }
        Returns::Number => (quote!(f64), quote!(::core::convert::Into::<f64>::into)),
        Returns::Count => {
            let to = quote!(::core::option::Option<u64>);
            (to.clone(), quote!(::core::convert::Into::<#to>::into))
        }
        Returns::Resources => (
            quote!(::condotta::task::Resources),
            quote!(::condotta::task::IntoResources::into_resources),
        ),
        Returns::Timeout => (
            quote!(::core::option::Option<::core::time::Duration>),
            quote!(::condotta::task::IntoTimeout::into_timeout),
        ),
        Returns::Owners => (
            quote!(::std::vec::Vec<::std::string::String>),
            quote!(::condotta::task::IntoOwners::into_owners),
        ),
        Returns::Success => (
            quote!(::condotta::Result<::core::option::Option<::std::string::String>>),
            quote!(::condotta::task::IntoSuccess::into_success),
        ),
    };
    // Errors about the conversion point to the type that the author wrote.
    Ok(Some((to, quote_spanned!(span=> #convert))))
}

/// What the author left out.
fn absent(arguments: &Arguments, has: &dyn Fn(&str) -> bool) -> TokenStream {
    let mut items = quote! {
        const MODULE: &'static str = ::core::module_path!();
    };
    if !has("requires") {
        items.extend(quote!(
            fn requires(&self) {}
        ));
        if !has("type Requires") {
            items.extend(quote!(
                type Requires = ();
            ));
        }
    }
    if !has("output") {
        items.extend(quote!(
            fn output(&self) {}
        ));
        if !has("type Output") {
            items.extend(quote!(
                type Output = ();
            ));
        }
    }
    if !has("family") {
        let text = |value: &Option<LitStr>| match value {
            Some(value) => quote!(::core::option::Option::Some(#value)),
            None => quote!(::core::option::Option::None),
        };
        let (namespace, family) = (text(&arguments.namespace), text(&arguments.family));
        items.extend(quote! {
            fn family() -> ::std::string::String {
                ::condotta::task::family::<Self>(Self::MODULE, #namespace, #family)
            }
        });
    }
    if arguments.external.is_some() {
        items.extend(quote!(
            const EXTERNAL: bool = true;
        ));
    }
    if arguments.wrapper.is_some() {
        items.extend(quote! {
            fn complete(&self) -> ::condotta::Result<bool> {
                ::condotta::task::requires_complete(self)
            }
        });
    }
    items
}
