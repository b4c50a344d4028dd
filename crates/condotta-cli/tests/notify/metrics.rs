//! `/metrics`.

/// The value of a sample without labels; 0 when it is not there.
pub(crate) fn value(text: &str, name: &str) -> f64 {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or_default()
}
