//! The skips that are allowed: one file, each line a name and the reason.

use std::collections::BTreeMap;

use anyhow::Context;

/// Names of tests that may be skipped, with the reasons.
pub(crate) struct AllowedSkips(BTreeMap<String, String>);

impl AllowedSkips {
    /// The list of this project.
    pub(crate) fn of_project() -> anyhow::Result<Self> {
        Self::parse(include_str!("../allowed-skips.txt"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut skips = BTreeMap::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, reason) = line
                .split_once(" | ")
                .filter(|(_, reason)| !reason.trim().is_empty())
                .with_context(|| format!("allowed-skips.txt: no reason in {line:?}"))?;
            skips.insert(name.trim().to_owned(), reason.trim().to_owned());
        }
        Ok(Self(skips))
    }

    /// Why this test may be skipped, if it may.
    pub(crate) fn reason(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_skip_has_its_reason() {
        let skips = AllowedSkips::parse("# why\n\na::b (line 3) | needs a cluster\n").unwrap();
        assert_eq!(skips.reason("a::b (line 3)"), Some("needs a cluster"));
        assert_eq!(skips.reason("a::c"), None);
    }

    #[test]
    fn a_skip_without_a_reason_is_refused() {
        assert!(AllowedSkips::parse("a::b").is_err());
        assert!(AllowedSkips::parse("a::b | ").is_err());
    }

    #[test]
    fn the_projects_list_can_be_read() {
        AllowedSkips::of_project().unwrap();
    }
}
