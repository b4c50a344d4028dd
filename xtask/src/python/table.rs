//! The page that tells what came of somebody else's tests, and the reasons for what differs.

use std::{fmt::Write, path::Path};

use anyhow::Context;
use serde_json::Value;

use super::judge::{Compared, Judge};

/// Why a test that stock passes may fail with ours: patterns of test ids with a reason each.
#[derive(Debug, Default)]
pub(crate) struct Reasons(Vec<(String, String)>);

impl Reasons {
    /// The file of reasons; none if there is no file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        Self::parse(&std::fs::read_to_string(path)?).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let table: Value = toml::from_str(text)?;
        let mut reasons = Vec::new();
        for entry in table["difference"].as_array().into_iter().flatten() {
            let reason = entry["reason"]
                .as_str()
                .context("a difference without a reason")?;
            let tests = entry["tests"]
                .as_array()
                .context("a difference without tests")?;
            for test in tests {
                let pattern = test.as_str().context("a test's id is a text")?;
                reasons.push((pattern.to_owned(), reason.to_owned()));
            }
        }
        Ok(Self(reasons))
    }

    /// Why this test may differ.
    fn of(&self, test: &str) -> Option<&str> {
        let found = self.0.iter().find(|(pattern, _)| fits(pattern, test));
        found.map(|(_, reason)| reason.as_str())
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(before) else {
        return false;
    };
    (0..=rest.len())
        .filter(|start| rest.is_char_boundary(*start))
        .any(|start| fits(after, &rest[start..]))
}

/// What stands above the table.
pub(crate) struct Heading<'a> {
    /// The title of the page.
    pub(crate) title: &'a str,
    /// What was run, and the command that does it again.
    pub(crate) about: &'a str,
    /// What a row is called.
    pub(crate) row: &'a str,
}

/// Writes the page as Markdown.
pub(crate) fn page(
    heading: &Heading<'_>,
    judge: &Judge,
    all: &[Compared],
    reasons: &Reasons,
) -> String {
    let mut text = format!("# {}\n\n{}\n\n", heading.title, heading.about);
    let versions = versions(judge).unwrap_or_else(|error| error.to_string());
    let on_stock: usize = all.iter().map(|one| one.passed_on_stock).sum();
    let on_ours: usize = all.iter().map(Compared::passed_on_ours).sum();
    let unexplained = differences(all)
        .filter(|(test, _)| reasons.of(test).is_none())
        .count();
    let share = 100.0 * on_ours as f64 / (on_stock.max(1)) as f64;
    write!(
        text,
        "{versions}\n\n**{on_ours} of the {on_stock} tests that stock passes on this machine, {share:.1} %; \
         {unexplained} of the differences are unexplained.**\n\n\
         | {} | passed on stock | of those on ours | not passed on stock |\n| --- | ---: | ---: | ---: |\n",
        heading.row
    )
    .expect("a text takes all");
    for one in all {
        let row = (
            one.passed_on_stock,
            one.passed_on_ours(),
            one.not_passed_on_stock,
        );
        writeln!(text, "| {} | {} | {} | {} |", one.name, row.0, row.1, row.2)
            .expect("a text takes all");
    }
    let told = differences(all).map(|(test, message)| {
        let why = match reasons.of(test) {
            Some(reason) => reason.to_owned(),
            None => format!("unexplained: {}", plain(message, judge.folder())),
        };
        format!("| `{test}` | {why} |\n")
    });
    section(
        &mut text,
        "Differences",
        "| Test | Why |\n| --- | --- |\n",
        told.collect(),
    );
    let listed = |tests: &dyn Fn(&Compared) -> &Vec<String>| -> Vec<String> {
        all.iter()
            .flat_map(tests)
            .map(|test| format!("- `{test}`\n"))
            .collect()
    };
    section(
        &mut text,
        "Passed when run once more",
        "",
        listed(&|one| &one.second_try),
    );
    section(
        &mut text,
        "Not counted: stock did not pass them when run once more",
        "",
        listed(&|one| &one.unsteady_on_stock),
    );
    text
}

fn differences(all: &[Compared]) -> impl Iterator<Item = (&str, &str)> {
    let each = all.iter().flat_map(|one| &one.differences);
    each.map(|(test, message)| (test.as_str(), message.as_str()))
}

fn section(text: &mut String, title: &str, head: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        *text += &format!("\n## {title}\n\n{head}{}", lines.concat());
    }
}

/// A message as one cell of a table.
fn plain(message: &str, here: &Path) -> String {
    // Where things happen to lie on this machine tells a reader nothing.
    let target = here.ancestors().nth(3).unwrap_or(here).to_string_lossy();
    let message = message.replace(&*target, "target");
    let short: String = message.chars().take(160).collect();
    format!(
        "`{}`",
        short.replace('|', "¦").replace('`', "'").replace('\n', " ")
    )
}

fn versions(judge: &Judge) -> anyhow::Result<String> {
    let date = std::process::Command::new("date")
        .arg("+%-d %B %Y")
        .output()?;
    let missing = match judge.missing.as_slice() {
        [] => String::new(),
        some => format!(
            " Not installable here, so missing on both sides: {}.",
            some.join(", ")
        ),
    };
    Ok(format!(
        "{}, Python {}, luigi {}, condotta {}.{missing}",
        String::from_utf8(date.stdout)?.trim(),
        judge.interpreter.release,
        judge.stock.venv.version_of("luigi")?,
        judge.ours.venv.version_of("condotta")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_belongs_to_patterns_of_tests() {
        let text = "[[difference]]\ntests = [\"a.py::T::*\", \"b.py::x\"]\nreason = \"a private detail\"\n";
        let reasons = Reasons::parse(text).unwrap();
        assert_eq!(reasons.of("a.py::T::one"), Some("a private detail"));
        assert_eq!(reasons.of("b.py::x"), Some("a private detail"));
        assert_eq!(reasons.of("b.py::xy"), None);
        assert!(Reasons::parse("[[difference]]\ntests = [\"a\"]\n").is_err());
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("a*c*e", "abcde"));
        assert!(fits("*", ""));
        assert!(!fits("a*c", "abcd"));
    }
}
