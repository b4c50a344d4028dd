//! Derive macros of condotta. Use them through the crate `condotta`, whose docs explain them.
//!
//! They write no logic: a field becomes a constant that describes it, a method's signature an
//! associated type.

mod attributes;
mod builder;
mod class;
mod field;
mod hint;
mod parameter_enum;
mod requires;
mod task_impl;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct's fields the parameters of a task.
///
/// The task also needs an `impl Task` with [`#[task]`](macro@task), if only an empty one. Besides,
/// the struct gets a `builder()`, which takes what it is not given from the command line, the
/// configuration and defaults.
///
/// # Attributes of a field
///
/// Doc comments are the help texts. In `#[param(…)]`:
///
/// | Attribute | Meaning |
/// | --- | --- |
/// | `default` | the type's `Default` where no value is given |
/// | `default = value` | this value; a text is read as on the command line |
/// | `description = "…"` | the help text in place of the doc comment |
/// | `significant = false` | not part of the task's identity |
/// | `visibility = hidden` | sent to the scheduler, not shown, not part of the identity |
/// | `visibility = private` | never leaves the worker |
/// | `positional = false` | given by name only |
/// | `batch_method = max` | tasks that differ here may run as one: `max`, `min`, `concat`, or a function from a `Vec` of values to a value |
/// | `min = 1, max = 12` | the range, `1 <= value < 12` |
/// | `left_op = "<"`, `right_op = "<="` | the range's ends |
/// | `choices = ["a", "b"]` | the permitted values |
/// | `interval = 15` | a date or moment is put on a grid of so many units |
/// | `start = "2013-01-01"` | where the grid starts, by default with 1970 |
/// | `parsing = explicit` | a `bool` takes a value: `--flag true` |
/// | `config(section = "…", name = "…")` | another place in the configuration |
/// | `always_in_help` | listed by `--help` whatever the root task is |
/// | `with = module` | the functions `module::parse` and `module::serialize` |
/// | `skip` | no parameter: the field is `Default::default()` |
#[proc_macro_derive(Task, attributes(param))]
pub fn derive_task(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    class::derive(&input, class::Kind::Task).into()
}

/// Makes a struct's fields the settings of a section of the configuration.
///
/// Fields take the attributes that [`Task`](macro@Task) lists; the section is the struct's name or
/// `#[config(section = "…")]`.
#[proc_macro_derive(Config, attributes(param, config))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    class::derive(&input, class::Kind::Config).into()
}

/// Makes an enum without fields a parameter type, written by the names of its variants, or by
/// `#[param(name = "…")]` on a variant.
#[proc_macro_derive(ParameterEnum, attributes(param))]
pub fn derive_parameter_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    parameter_enum::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a struct of tasks something to require; its targets come in a struct of the same fields
/// whose name ends in `Targets`.
#[proc_macro_derive(Requires)]
pub fn derive_requires(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    requires::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Completes an `impl Task`: reads the signatures, fills in the associated types and what is
/// absent.
///
/// Takes `external`, `wrapper`, `namespace = "…"` and `family = "…"`.
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemImpl);
    task_impl::expand(arguments.into(), item).into()
}
