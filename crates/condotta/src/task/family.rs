//! A task's name on the command line and to the scheduler.

use crate::params::Parameters;

/// A namespace for all tasks of a module and the modules in it; see
/// [`namespace!`](crate::namespace).
pub struct Namespace {
    /// The module's path.
    pub module: &'static str,
    /// The namespace.
    pub name: &'static str,
}

inventory::collect!(Namespace);

/// Puts all tasks of this module, and of the modules in it, into a namespace, as `luigi.namespace`
/// does. A task's own `#[task(namespace = "…")]` goes before it.
///
/// ```
/// condotta::namespace!("reports");
/// ```
#[macro_export]
macro_rules! namespace {
    ($name:literal) => {
        $crate::__private::inventory::submit! {
            $crate::task::Namespace { module: ::core::module_path!(), name: $name }
        }
    };
}

/// The family of a task whose code is in `module`, by what its `#[task]` says.
#[must_use]
pub fn family<T: Parameters>(module: &str, namespace: Option<&str>, name: Option<&str>) -> String {
    let own_name = || own_name(std::any::type_name::<T>());
    let name = name.map_or_else(own_name, str::to_owned);
    match namespace.or_else(|| namespace_of(module)) {
        Some(namespace) if !namespace.is_empty() => format!("{namespace}.{name}"),
        _ => name,
    }
}

/// The namespace of the nearest module around.
fn namespace_of(module: &str) -> Option<&'static str> {
    let around = |namespace: &&Namespace| {
        module
            .strip_prefix(namespace.module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    inventory::iter::<Namespace>
        .into_iter()
        .filter(around)
        .max_by_key(|namespace| namespace.module.len())
        .map(|namespace| namespace.name)
}

/// A type's name without the paths. Type arguments are part of it, as in `Copy_Weather`, so that
/// the classes of a generic task differ.
fn own_name(path: &str) -> String {
    let mut name = String::new();
    for part in path.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        let last = part.rsplit("::").next().unwrap_or(part);
        if !last.is_empty() {
            if !name.is_empty() {
                name.push('_');
            }
            name.push_str(last);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::own_name;

    #[test]
    fn type_arguments_are_part_of_the_name() {
        assert_eq!(own_name("weather::tasks::Download"), "Download");
        assert_eq!(own_name("a::Copy<b::Weather, 3>"), "Copy_Weather_3");
        assert_eq!(own_name("a::Copy<a::Copy<(u8, &str)>>"), "Copy_Copy_u8_str");
    }
}
