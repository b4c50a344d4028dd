//! Reads a command line: which task, and which values were given with which flags.
//!
//! Luigi's rules: the first word that belongs to no flag is the root task, flags may be cut short
//! where that is unambiguous, and the last value of a flag counts. Knows nothing of what values
//! mean.

use std::collections::{BTreeMap, HashMap};

use super::{
    flags::{Flag, Flags, Lookup, Meaning},
    suggest,
};
use crate::class::FlagKind;

/// What a command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// The family of the task to run.
    pub(crate) root: Option<String>,
    /// Parameters of the root task.
    pub(crate) given: BTreeMap<String, String>,
    /// By section or family: keys or parameters.
    pub(crate) qualified: HashMap<String, BTreeMap<String, String>>,
    /// Print the version.
    pub(crate) version: bool,
    /// Print a completion script for this shell.
    pub(crate) completion: Option<String>,
    /// What has no meaning: unknown flags and further words.
    pub(crate) unknown: Vec<String>,
}

/// A command line that makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("argument --{0}: expected one argument (one that begins with dashes as --{0}=--…)")]
    ValueMissing(String),
    #[error("argument --{long}: takes no value but true or false, not {value:?}")]
    NotBool { long: String, value: String },
    #[error("ambiguous option: --{given} could match {}", dashed(.candidates))]
    Ambiguous {
        given: String,
        candidates: Vec<String>,
    },
    #[error("unrecognized arguments: {}{}", .arguments.join(" "), hint(.near))]
    Unrecognized {
        arguments: Vec<String>,
        near: Option<String>,
    },
}

fn dashed(names: &[String]) -> String {
    let dashed: Vec<String> = names.iter().map(|name| format!("--{name}")).collect();
    dashed.join(", ")
}

fn hint(near: &Option<String>) -> String {
    match near {
        Some(near) => format!("\ndid you mean --{near}?"),
        None => String::new(),
    }
}

impl CommandLine {
    /// Reads arguments; what is unknown is kept apart.
    pub(crate) fn read(flags: &Flags, arguments: &[String]) -> Result<Self, UsageError> {
        let mut line = Self::default();
        let mut rest = arguments;
        while let [argument, after @ ..] = rest {
            rest = after;
            if argument == "--" {
                after.iter().for_each(|word| line.word(word));
                break;
            }
            let name = match argument.as_str() {
                "-h" => "help",
                other => match other.strip_prefix("--") {
                    Some(name) => name,
                    None => {
                        line.word(argument);
                        continue;
                    }
                },
            };
            rest = line.flag(flags, name, argument, after)?;
        }
        Ok(line)
    }

    /// Reads arguments; what is unknown is an error.
    pub(crate) fn read_strictly(flags: &Flags, arguments: &[String]) -> Result<Self, UsageError> {
        let line = Self::read(flags, arguments)?;
        if line.unknown.is_empty() {
            return Ok(line);
        }
        let near = line
            .unknown
            .iter()
            .find_map(|argument| argument.strip_prefix("--"))
            .and_then(|name| {
                let name = name.split('=').next().unwrap_or(name);
                // The root task's own parameters come before equally near flags.
                let (own, others): (Vec<&Flag>, Vec<&Flag>) = flags
                    .iter()
                    .partition(|flag| matches!(flag.meaning, Meaning::Root(_)));
                let known = own.into_iter().chain(others);
                suggest::nearest(name, known.map(|flag| flag.long.as_str()))
            });
        Err(UsageError::Unrecognized {
            near: near.map(str::to_owned),
            arguments: line.unknown,
        })
    }

    /// The text of a key of a section. An empty text counts as none, as in Luigi.
    pub(crate) fn qualified(&self, section: &str, name: &str) -> Option<&str> {
        let text = self.qualified.get(section)?.get(name)?;
        (!text.is_empty()).then_some(text)
    }

    /// Whether a switch of the core was given.
    pub(crate) fn switch(&self, name: &str) -> bool {
        self.qualified("core", name) == Some("true")
    }

    fn word(&mut self, word: &str) {
        if self.root.is_none() && !word.starts_with('-') {
            self.root = Some(word.to_owned());
        } else {
            self.unknown.push(word.to_owned());
        }
    }

    /// Reads one flag. Returns what follows it and its value.
    fn flag<'a>(
        &mut self,
        flags: &Flags,
        name: &str,
        argument: &str,
        after: &'a [String],
    ) -> Result<&'a [String], UsageError> {
        let (name, attached) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let flag = match flags.lookup(name) {
            Lookup::Found(flag) => flag,
            Lookup::Ambiguous(candidates) => {
                return Err(UsageError::Ambiguous {
                    given: name.to_owned(),
                    candidates: candidates.into_iter().map(str::to_owned).collect(),
                });
            }
            Lookup::Unknown => {
                self.unknown.push(argument.to_owned());
                return Ok(after);
            }
        };
        let (value, used) = value_of(flag, attached, after)?;
        self.set(flag, value);
        Ok(&after[used..])
    }

    fn set(&mut self, flag: &Flag, value: String) {
        match &flag.meaning {
            Meaning::Qualified { section, name } => {
                let section = self.qualified.entry(section.clone()).or_default();
                section.insert(name.clone(), value);
            }
            Meaning::Root(name) => {
                self.given.insert(name.clone(), value);
            }
            Meaning::Version => self.version = true,
            Meaning::Completion => self.completion = Some(value),
        }
    }
}

/// The value of a flag, and how many of the following arguments it takes.
fn value_of(
    flag: &Flag,
    attached: Option<&str>,
    after: &[String],
) -> Result<(String, usize), UsageError> {
    let next = after.first().map(String::as_str);
    match (flag.kind, attached, next) {
        (FlagKind::Value | FlagKind::OptionalBool, Some(value), _) => Ok((value.to_owned(), 0)),
        (FlagKind::Switch, Some(value), _) if is_bool(value) => Ok((value.to_lowercase(), 0)),
        (FlagKind::Switch, Some(value), _) => Err(UsageError::NotBool {
            long: flag.long.clone(),
            value: value.to_owned(),
        }),
        (FlagKind::Switch, None, _) => Ok(("true".to_owned(), 0)),
        (FlagKind::OptionalBool, None, Some(next)) if is_bool(next) => Ok((next.to_owned(), 1)),
        (FlagKind::OptionalBool, None, _) => Ok(("true".to_owned(), 0)),
        (FlagKind::Value, None, Some(next)) if !is_flag(next) => Ok((next.to_owned(), 1)),
        (FlagKind::Value, None, _) => Err(UsageError::ValueMissing(flag.long.clone())),
    }
}

fn is_bool(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// A value may begin with one dash; one that begins with two is given with `=`, so that a flag after
/// a forgotten value is not taken for it. Words with spaces are no flags in any case.
fn is_flag(argument: &str) -> bool {
    argument.starts_with("--") && !argument.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::{super::test_classes::*, *};

    fn read(arguments: &str) -> Result<CommandLine, UsageError> {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        CommandLine::read_strictly(&Flags::new(&CLASSES, Some(&ALPHA)), &arguments)
    }

    fn given(arguments: &str, name: &str) -> String {
        let line = read(&format!("Alpha {arguments}")).unwrap();
        assert_eq!(line.root.as_deref(), Some("Alpha"));
        line.given.get(name).cloned().unwrap_or_default()
    }

    fn qualified(arguments: &str, section: &str, name: &str) -> Option<String> {
        let line = read(&format!("Alpha {arguments}")).unwrap();
        line.qualified(section, name).map(str::to_owned)
    }

    #[test]
    fn the_root_tasks_parameters_need_no_family() {
        assert_eq!(
            given("--date-hour 2026-01-02T03", "date_hour"),
            "2026-01-02T03"
        );
        assert_eq!(given("--date-hour=x --date-hour=y", "date_hour"), "y");
        assert_eq!(given("--text a=b", "text"), "a=b");
        assert_eq!(given("--text=--loud", "text"), "--loud");
    }

    #[test]
    fn values_may_begin_with_a_dash() {
        assert_eq!(given("--text -3", "text"), "-3");
        assert_eq!(given("--text -x", "text"), "-x");
        for missing in [
            "Alpha --text --laud",
            "Alpha --text --loud",
            "Alpha --text",
            "Alpha --text --",
        ] {
            let error = UsageError::ValueMissing("text".to_owned());
            assert_eq!(read(missing), Err(error), "{missing}");
        }
    }

    #[test]
    fn flags_of_sections_and_classes_are_qualified() {
        for (arguments, section, name, value) in [
            ("--workers 3", "core", "workers", "3"),
            ("--local-scheduler", "core", "local_scheduler", "true"),
            ("--worker-keep-alive", "worker", "keep_alive", "true"),
            ("--retcode-task-failed=30", "retcode", "task_failed", "30"),
            ("--deep.Beta-text t", "deep.Beta", "text", "t"),
            ("--Alpha-workers 3", "Alpha", "workers", "3"),
            ("--storage-root-folder /x", "storage", "root_folder", "/x"),
            (
                "--worker-send-failure-email=False",
                "worker",
                "send_failure_email",
                "false",
            ),
        ] {
            let found = qualified(arguments, section, name);
            assert_eq!(found.as_deref(), Some(value), "{arguments}");
        }
    }

    #[test]
    fn an_empty_value_counts_as_none() {
        assert_eq!(qualified("--deep.Beta-text=", "deep.Beta", "text"), None);
    }

    #[test]
    fn flags_can_be_cut_short_as_long_as_they_are_unambiguous() {
        assert_eq!(given("--date x", "date_hour"), "x");
        assert!(read("Alpha --local-sch").unwrap().switch("local_scheduler"));
        // `--worker` begins many flags, but `--workers` is one itself.
        assert_eq!(
            qualified("--workers 2", "core", "workers").as_deref(),
            Some("2")
        );
        let error = read("Alpha --worker 2").unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("ambiguous option: --worker could match "),
            "{text}"
        );
        assert!(text.contains("--worker-keep-alive, "), "{text}");
    }

    #[test]
    fn truth_values_are_given_in_three_ways() {
        assert_eq!(given("--loud", "loud"), "true");
        assert_eq!(given("--loud=FALSE", "loud"), "false");
        assert_eq!(given("--sure", "sure"), "true");
        assert_eq!(given("--sure False --text x", "sure"), "False");
        assert_eq!(given("--sure=no", "sure"), "no");
        assert_eq!(read("--sure Alpha").unwrap().root.as_deref(), Some("Alpha"));
        let error = read("Alpha --loud=very").unwrap_err().to_string();
        assert_eq!(
            error,
            "argument --loud: takes no value but true or false, not \"very\""
        );
    }

    #[test]
    fn what_is_unknown_is_named_with_what_it_may_have_been_meant_to_be() {
        let error = |arguments| read(arguments).unwrap_err().to_string();
        assert_eq!(
            error("Alpha --date-hours 3"),
            "unrecognized arguments: --date-hours 3\ndid you mean --date-hour?"
        );
        assert_eq!(
            error("Alpha --txet 3"),
            "unrecognized arguments: --txet 3\ndid you mean --text?"
        );
        assert_eq!(error("Alpha one two"), "unrecognized arguments: one two");
        assert_eq!(
            error("Alpha -x -- --qwertyuiop"),
            "unrecognized arguments: -x --qwertyuiop"
        );
    }
}
