//! Every flag that this program takes: those of the core, of sections, and of all task classes.
//!
//! Knows nothing of what was given on a command line.

use std::collections::BTreeMap;

use super::sections::{KEYS, Kind};
use crate::class::{FlagKind, TaskClass};

/// The group of the flags of the core.
const OPTIONS: &str = "Options";

/// A flag.
#[derive(Debug)]
pub(crate) struct Flag {
    /// The name without the dashes.
    pub(crate) long: String,
    pub(crate) kind: FlagKind,
    /// The form of a value; may be empty.
    pub(crate) form: &'static str,
    /// What it sets.
    pub(crate) meaning: Meaning,
    pub(crate) help: String,
    pub(crate) default: Option<String>,
    pub(crate) choices: Vec<String>,
    /// The group in the help.
    pub(crate) group: String,
    /// Listed by `--help`, not only by `--help-all`.
    pub(crate) usual: bool,
}

/// What a flag sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A key of a section, or a parameter of a class for all its tasks.
    Qualified { section: String, name: String },
    /// A parameter of the root task.
    Root(String),
    /// Prints the version.
    Version,
    /// Prints a completion script.
    Completion,
}

/// All flags, to be looked up by name.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    list: Vec<Flag>,
    by_long: BTreeMap<String, usize>,
}

/// What a name on the command line stands for.
#[derive(Debug)]
pub(crate) enum Lookup<'a> {
    Found(&'a Flag),
    /// The beginning of several flags.
    Ambiguous(Vec<&'a str>),
    Unknown,
}

impl Flags {
    /// The flags of a program with these classes, of which `root` is to be run.
    pub(crate) fn new(classes: &[&'static TaskClass], root: Option<&'static TaskClass>) -> Self {
        let mut flags = Self::default();
        flags.add_own();
        for class in classes {
            flags.add_class(class);
        }
        if let Some(root) = root {
            flags.add_root(root);
        }
        flags
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Flag> {
        self.list.iter()
    }

    /// The flag of this name, or the only one that begins with it.
    pub(crate) fn lookup(&self, name: &str) -> Lookup<'_> {
        if let Some(&exact) = self.by_long.get(name) {
            return Lookup::Found(&self.list[exact]);
        }
        let beginning: Vec<(&str, usize)> = self
            .by_long
            .range(name.to_owned()..)
            .take_while(|(long, _)| long.starts_with(name))
            .map(|(long, &at)| (long.as_str(), at))
            .collect();
        match beginning.as_slice() {
            [] => Lookup::Unknown,
            [(_, only)] => Lookup::Found(&self.list[*only]),
            several => Lookup::Ambiguous(several.iter().map(|(long, _)| *long).collect()),
        }
    }

    /// The core, the sections, and what is said to the program rather than to Luigi.
    fn add_own(&mut self) {
        for key in KEYS {
            let usual = matches!(
                key.name,
                "local_scheduler" | "workers" | "scheduler_url" | "log_level" | "help" | "help_all"
            );
            self.add(Flag {
                long: key.long(),
                kind: key.flag_kind(),
                form: "",
                meaning: qualified(key.section, key.name),
                help: key.help.to_owned(),
                default: key.default.map(str::to_owned),
                choices: match key.kind {
                    Kind::Choice(choices) => choices.iter().map(|&c| c.to_owned()).collect(),
                    _ => Vec::new(),
                },
                group: match key.section {
                    "core" => OPTIONS.to_owned(),
                    section => format!("Section [{section}]"),
                },
                usual: usual && key.section == "core",
            });
        }
        self.add(Flag {
            long: "version".to_owned(),
            kind: FlagKind::Switch,
            form: "",
            meaning: Meaning::Version,
            help: "Show the version".to_owned(),
            default: None,
            choices: Vec::new(),
            group: OPTIONS.to_owned(),
            usual: true,
        });
        self.add(Flag {
            long: "completion".to_owned(),
            kind: FlagKind::Value,
            form: "",
            meaning: Meaning::Completion,
            help: "Write a completion script for a shell".to_owned(),
            default: None,
            choices: ["bash", "zsh", "fish"].map(str::to_owned).to_vec(),
            group: OPTIONS.to_owned(),
            usual: true,
        });
    }

    /// `--Family-param` for each parameter.
    fn add_class(&mut self, class: &TaskClass) {
        let family = (class.family)();
        let group = match class.build {
            Some(_) => format!("Parameters of each {family}"),
            None => format!("Section [{family}]"),
        };
        for param in (class.params)() {
            self.add(Flag {
                long: format!("{family}-{}", param.name).replace('_', "-"),
                kind: param.flag,
                form: param.form,
                meaning: qualified(&family, param.name),
                help: param.description,
                default: param.default,
                choices: param.choices,
                group: group.clone(),
                usual: param.always_in_help,
            });
        }
    }

    /// `--param` for each parameter of the root task. A flag of the core keeps its meaning; the
    /// task's parameter is then reached by its qualified flag.
    pub(crate) fn add_root(&mut self, root: &TaskClass) {
        for param in (root.params)() {
            self.add(Flag {
                long: param.name.replace('_', "-"),
                kind: param.flag,
                form: param.form,
                meaning: Meaning::Root(param.name.to_owned()),
                help: param.description,
                default: param.default,
                choices: param.choices,
                group: format!("Parameters of {}", (root.family)()),
                usual: true,
            });
        }
    }

    fn add(&mut self, flag: Flag) {
        if !self.by_long.contains_key(&flag.long) {
            self.by_long.insert(flag.long.clone(), self.list.len());
            self.list.push(flag);
        }
    }
}

fn qualified(section: &str, name: &str) -> Meaning {
    Meaning::Qualified {
        section: section.to_owned(),
        name: name.to_owned(),
    }
}
