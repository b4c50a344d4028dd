//! Which families run where: read and checked as a whole, before anything runs.

use std::collections::BTreeMap;

use super::{Kind, PlanError, Settings};

/// The section that says where tasks run.
const ENGINE: &str = "engine";
/// What the names of the others begin with: of those for all tasks on an engine, and for one family.
const PREFIX: &str = "engine:";
/// The key for families that are not named.
const DEFAULT: &str = "default";
/// Where tasks run that run in the worker or its child processes.
const LOCAL: &str = "local";

/// A section of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// What it says.
    pub entries: Vec<Entry>,
}

/// What a section says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Where it is said, for people.
    pub origin: String,
}

/// Where the tasks of each family run.
#[derive(Debug, Default)]
pub struct Plan {
    default: Option<Settings>,
    /// None is here.
    families: BTreeMap<String, Option<Settings>>,
}

impl Plan {
    /// Whether a section of this name is read here.
    #[must_use]
    pub fn reads(section: &str) -> bool {
        section == ENGINE || section.starts_with(PREFIX)
    }

    /// Reads these sections; others are passed over.
    ///
    /// # Errors
    /// They say what cannot be done.
    pub fn new(sections: &[Section]) -> Result<Self, PlanError> {
        let find = |name: &str| sections.iter().find(|section| section.name == name);
        let mut default = None;
        let mut families: BTreeMap<&str, Option<Kind>> = BTreeMap::new();
        for entry in find(ENGINE).into_iter().flat_map(|engine| &engine.entries) {
            let kind = kind(entry)?;
            match entry.key.as_str() {
                DEFAULT => default = kind,
                family => _ = families.insert(family, kind),
            }
        }
        for section in sections {
            let Some(name) = section.name.strip_prefix(PREFIX) else {
                continue;
            };
            if Kind::named(name).is_some() || families.contains_key(name) {
                continue;
            }
            if default.is_none() {
                return Err(PlanError::NobodysSection {
                    section: section.name.clone(),
                    name: name.to_owned(),
                    origin: origin(section),
                });
            }
            families.insert(name, default);
        }
        let settings = |family: &str, kind: Kind| {
            let names = [kind.name(), family].map(|name| format!("{PREFIX}{name}"));
            let named = names.iter().filter_map(|name| find(name));
            let sections: Vec<_> = named
                .map(|section| (section.name.as_str(), section.entries.as_slice()))
                .collect();
            Settings::new(kind, family, &sections)
        };
        let read = |(family, kind): (&str, Option<Kind>)| {
            let settings = kind.map(|kind| settings(family, kind)).transpose()?;
            Ok((family.to_owned(), settings))
        };
        Ok(Self {
            default: default.map(|kind| settings(DEFAULT, kind)).transpose()?,
            families: families.into_iter().map(read).collect::<Result<_, _>>()?,
        })
    }

    /// Where tasks of this family run, if not here.
    #[must_use]
    pub fn settings(&self, family: &str) -> Option<&Settings> {
        match self.families.get(family) {
            Some(settings) => settings.as_ref(),
            None => self.default_settings(),
        }
    }

    /// Where tasks of families run that it does not name, if not here.
    #[must_use]
    pub fn default_settings(&self) -> Option<&Settings> {
        self.default.as_ref()
    }

    /// The families that it names.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.families.keys().map(String::as_str)
    }

    /// Whether every task runs here.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.default.is_none() && self.families.values().all(Option::is_none)
    }
}

fn kind(entry: &Entry) -> Result<Option<Kind>, PlanError> {
    if entry.value == LOCAL {
        return Ok(None);
    }
    let kind = Kind::named(&entry.value).ok_or_else(|| {
        let kinds = Kind::ALL.into_iter().map(Kind::name);
        PlanError::NoEngine {
            family: entry.key.clone(),
            name: entry.value.clone(),
            origin: entry.origin.clone(),
            known: [LOCAL].into_iter().chain(kinds).collect(),
        }
    })?;
    Ok(Some(kind))
}

fn origin(section: &Section) -> String {
    let first = section.entries.first();
    first.map_or_else(|| "configuration".to_owned(), |entry| entry.origin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sections in the way of an ini file; each entry's origin is its number.
    fn plan(text: &str) -> Result<Plan, PlanError> {
        let mut sections: Vec<Section> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if let Some(name) = line.strip_prefix('[') {
                sections.push(Section {
                    name: name.trim_end_matches(']').to_owned(),
                    entries: Vec::new(),
                });
            } else if let Some((key, value)) = line.split_once(" = ") {
                sections.last_mut().unwrap().entries.push(Entry {
                    key: key.to_owned(),
                    value: value.to_owned(),
                    origin: format!("luigi.cfg:{}", number + 1),
                });
            }
        }
        Plan::new(&sections)
    }

    #[track_caller]
    fn refused(text: &str) -> String {
        plan(text).unwrap_err().to_string()
    }

    #[test]
    fn a_family_runs_where_it_is_said_with_its_own_settings_over_the_engines() {
        let plan = plan(
            "[engine]\ndefault = local\nA = slurm\nspace.B = slurm\n\
             [engine:slurm]\nfolder = /shared\npartition = short\ncpus = 2\n\
             [engine:A]\npartition = long\n",
        )
        .unwrap();
        let text =
            |family: &str, key: &str| plan.settings(family).unwrap().text(key).map(str::to_owned);
        assert_eq!(text("A", "partition").as_deref(), Some("long"));
        assert_eq!(text("A", "cpus").as_deref(), Some("2"));
        assert_eq!(text("space.B", "partition").as_deref(), Some("short"));
        assert_eq!(plan.settings("B"), None);
        assert_eq!(plan.settings("A").unwrap().folder(), "/shared");
        assert!(!plan.is_local());
    }

    #[test]
    fn a_default_is_for_whoever_is_not_named() {
        let plan = plan(
            "[engine]\ndefault = slurm\nC = local\n[engine:slurm]\nfolder = /shared\n[engine:B]\ntime = 10\n",
        )
        .unwrap();
        assert_eq!(plan.settings("C"), None);
        assert_eq!(plan.settings("B").unwrap().text("time"), Some("10"));
        assert_eq!(plan.settings("A").unwrap().text("time"), None);
    }

    #[test]
    fn without_a_word_everything_runs_here() {
        assert!(plan("").unwrap().is_local());
        assert!(
            plan("[engine]\ndefault = local\nA = local\n")
                .unwrap()
                .is_local()
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        assert_eq!(
            refused("[engine]\nA = slrum\n"),
            "luigi.cfg:2: [engine] A is \"slrum\": there are local, slurm, kubernetes"
        );
        assert_eq!(
            refused("[engine]\nA = slurm\n"),
            "A is to run on slurm, which needs folder (a folder that this machine and the engine's see at the \
             same path): set it in section [engine:slurm] or [engine:A]"
        );
        let known =
            "folder, program, working_folder, interval, partition, time, memory, cpus, options";
        assert_eq!(
            refused("[engine]\nA = slurm\n[engine:A]\nfolder = /s\npartitoin = long\n"),
            format!("luigi.cfg:5: section [engine:A] has no key partitoin; slurm knows {known}")
        );
        assert_eq!(
            refused("[engine]\nA = slurm\n[engine:B]\nfolder = /s\n"),
            "luigi.cfg:4: section [engine:B] is for no engine, and for no task that runs elsewhere: [engine] has no B"
        );
        assert_eq!(
            refused("[engine]\nA = slurm\n[engine:A]\nfolder = shared\n"),
            "luigi.cfg:4: [engine:A] folder is \"shared\": a path that is the same on both machines begins with /"
        );
        assert_eq!(
            refused("[engine]\nA = slurm\n[engine:A]\nfolder = /s\ncpus = many\n"),
            "luigi.cfg:5: [engine:A] cpus is \"many\": a whole number is wanted"
        );
    }
}
