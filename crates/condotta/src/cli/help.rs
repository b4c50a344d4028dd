//! The help text and the completion scripts, which clap writes from the flags.
//!
//! Arguments are not read by clap: what a flag takes depends on the task, flags may be cut short
//! and values may begin with dashes.

use clap::{Arg, ArgAction, Command, builder::PossibleValuesParser};
use clap_complete::Shell;

use super::flags::{Flag, Flags, Meaning};
use crate::class::{FlagKind, TaskClass};

/// What help is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The usual flags, and those of the root task.
    Usual,
    /// All flags.
    All,
}

/// The help text.
pub(crate) fn help(
    program: &str,
    flags: &Flags,
    classes: &[&'static TaskClass],
    root: Option<&'static TaskClass>,
    extent: Extent,
) -> clap::builder::StyledStr {
    let mut command = command(program);
    command = match root {
        Some(root) => command
            .override_usage(format!("{program} {} [OPTIONS]", (root.family)()))
            .about(root.description.trim()),
        None => command
            .override_usage(format!("{program} <TASK> [OPTIONS]"))
            .after_help(task_list(classes)),
    };
    let is_root = |flag: &Flag| matches!(flag.meaning, Meaning::Root(_));
    let own = flags.iter().filter(|flag| is_root(flag));
    let others = flags
        .iter()
        .filter(|flag| !is_root(flag) && (extent == Extent::All || flag.usual));
    for flag in own.chain(others) {
        command = command.arg(argument(flag).help_heading(flag.group.clone()));
    }
    command.render_help()
}

/// The completion script for a shell, or the shells there are.
pub(crate) fn completion(
    shell: &str,
    program: &str,
    classes: &[&'static TaskClass],
) -> Result<Vec<u8>, String> {
    let shell: Shell = shell
        .parse()
        .map_err(|_| format!("no completion for shell {shell:?}; there are bash, zsh and fish"))?;
    let mut families = Vec::new();
    let mut all = Flags::new(classes, None);
    for class in classes.iter().filter(|class| class.build.is_some()) {
        families.push((class.family)());
        // Which task is meant is not known when the script is written: it offers them all.
        all.add_root(class);
    }
    let task = Arg::new("TASK").value_parser(PossibleValuesParser::new(families));
    let mut command = command(program).arg(task);
    for flag in all.iter() {
        command = command.arg(argument(flag));
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, program, &mut script);
    Ok(script)
}

fn command(program: &str) -> Command {
    Command::new(program.to_owned())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .max_term_width(100)
}

fn argument(flag: &Flag) -> Arg {
    let arg = Arg::new(flag.long.clone())
        .long(flag.long.clone())
        .short((flag.long == "help").then_some('h'))
        .help(description(flag));
    let arg = match flag.kind {
        FlagKind::Switch => return arg.action(ArgAction::SetTrue),
        FlagKind::OptionalBool => arg.num_args(0..=1),
        FlagKind::Value => arg.num_args(1),
    };
    let arg = arg
        .action(ArgAction::Set)
        .value_name(value_name(flag))
        .hide_possible_values(true);
    if flag.choices.is_empty() {
        arg
    } else {
        arg.value_parser(PossibleValuesParser::new(flag.choices.clone()))
    }
}

fn value_name(flag: &Flag) -> String {
    let name = match &flag.meaning {
        Meaning::Qualified { name, .. } | Meaning::Root(name) => name,
        Meaning::Version | Meaning::Completion => &flag.long,
    };
    if flag.long == "completion" {
        return "SHELL".to_owned();
    }
    if !flag.form.is_empty() {
        return flag.form.to_owned();
    }
    name.to_uppercase()
}

fn description(flag: &Flag) -> String {
    let mut text = flag.help.trim().replace('\n', " ");
    let mut add = |what: String| {
        if !text.is_empty() {
            text.push_str(if ends_sentence(&text) || what.starts_with('[') {
                " "
            } else {
                ". "
            });
        }
        text.push_str(&what);
    };
    // Parameter types say their choices themselves.
    if !flag.choices.is_empty() && !flag.help.contains("Choices: ") {
        add(format!("Choices: {{{}}}", flag.choices.join(", ")));
    }
    let is_parameter = matches!(flag.meaning, Meaning::Root(_));
    if is_parameter && flag.default.is_none() {
        add("[required]".to_owned());
    }
    let default = flag.default.as_deref().unwrap_or_default();
    if !matches!(default, "" | "False" | "false") {
        add(format!("[default: {default}]"));
    }
    text
}

fn ends_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', ':', ';'])
}

/// The tasks of a program, each with the first sentence of its description.
fn task_list(classes: &[&'static TaskClass]) -> String {
    let tasks: Vec<(String, String)> = classes
        .iter()
        .filter(|class| class.build.is_some())
        .map(|class| ((class.family)(), first_sentence(class.description)))
        .collect();
    let width = tasks.iter().map(|(family, _)| family.len()).max();
    let mut text = "Tasks:".to_owned();
    for (family, sentence) in tasks {
        let width = width.unwrap_or_default();
        text.push_str(format!("\n  {family:width$}  {sentence}").trim_end());
    }
    text
}

/// A sentence may go over several lines, but not past an empty one.
fn first_sentence(description: &str) -> String {
    let paragraph = description.trim().lines().map(str::trim);
    let paragraph: Vec<&str> = paragraph.take_while(|line| !line.is_empty()).collect();
    let mut paragraph = paragraph.join(" ");
    let is_end = |&(at, _): &(usize, &str)| {
        let next = paragraph[at + ". ".len()..].chars().next();
        next.is_some_and(|next| !next.is_lowercase())
    };
    if let Some((at, _)) = paragraph.match_indices(". ").find(is_end) {
        paragraph.truncate(at + 1);
    }
    paragraph
}

#[cfg(test)]
mod tests {
    use super::{super::test_classes::*, *};

    #[test]
    fn the_form_of_a_value_and_what_is_required_are_shown() {
        static DATED: TaskClass = TaskClass {
            params: || {
                let day = param("day", FlagKind::Value, None);
                vec![
                    crate::class::ParamSpec {
                        form: "YYYY-MM-DD",
                        description: "The day".to_owned(),
                        choices: vec!["2026-01-01".to_owned()],
                        ..day
                    },
                    param("text", FlagKind::Value, Some("")),
                ]
            },
            ..ALPHA
        };
        let flags = Flags::new(&[], Some(&DATED));
        let text = help("program", &flags, &[], Some(&DATED), Extent::Usual).to_string();
        for part in [
            "--day <YYYY-MM-DD>  The day. Choices: {2026-01-01} [required]\n",
            "--text <TEXT>       About text.\n",
            "  -h, --help ",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }

    #[test]
    fn a_list_has_whole_sentences() {
        for (description, sentence) in [
            (" One. Two.", "One."),
            (
                "Over\n two lines, e.g. these.\n\nMore",
                "Over two lines, e.g. these.",
            ),
            ("No stop\n\nMore.", "No stop"),
            ("", ""),
        ] {
            assert_eq!(first_sentence(description), sentence);
        }
    }
}
