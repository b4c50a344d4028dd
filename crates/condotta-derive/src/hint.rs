//! "Did you mean" for names that nobody knows.

use strsim::levenshtein;

/// An error text about `name`, of which `known` has the right ones.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|candidate| (levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2 || candidate.starts_with(name))
        .min();
    match nearest {
        Some((_, candidate)) => format!("unknown {what} `{name}`; did you mean `{candidate}`?"),
        None => format!("unknown {what} `{name}`; there are {}", known.join(", ")),
    }
}
