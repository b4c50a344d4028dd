//! What an engine wants to know for the tasks of a family.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Entry, PlanError};

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A Slurm cluster.
    Slurm,
    /// A Kubernetes cluster; with the feature `kubernetes`.
    Kubernetes,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Slurm, Self::Kubernetes];

    /// As the configuration calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Slurm => "slurm",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// Whether who follows a run there has threads of its client. A process that forks must leave that to another.
    #[must_use]
    pub fn starts_threads(self) -> bool {
        match self {
            Self::Slurm => false,
            Self::Kubernetes => true,
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.of.contains(&self))
    }
}

/// A key of an engine's section.
struct Key {
    name: &'static str,
    of: &'static [Kind],
    is_needed: bool,
    about: &'static str,
}

const KEYS: &[Key] = &[
    Key {
        name: "folder",
        of: &Kind::ALL,
        is_needed: true,
        about: "a folder that this machine and the engine's see at the same path",
    },
    Key {
        name: "image",
        of: &[Kind::Kubernetes],
        is_needed: true,
        about: "the image of the container, with the program in it",
    },
    optional("program", &Kind::ALL),
    optional("working_folder", &Kind::ALL),
    optional("interval", &[Kind::Slurm]),
    optional("partition", &[Kind::Slurm]),
    optional("time", &[Kind::Slurm]),
    optional("memory", &Kind::ALL),
    optional("cpus", &Kind::ALL),
    optional("options", &[Kind::Slurm]),
    optional("kubeconfig", &[Kind::Kubernetes]),
    optional("context", &[Kind::Kubernetes]),
    optional("namespace", &[Kind::Kubernetes]),
    optional("image_pull_policy", &[Kind::Kubernetes]),
    optional("service_account", &[Kind::Kubernetes]),
    optional("volume_claim", &[Kind::Kubernetes]),
    optional("volume_path", &[Kind::Kubernetes]),
    optional("node_selector", &[Kind::Kubernetes]),
    optional("environment", &[Kind::Kubernetes]),
    optional("patience", &[Kind::Kubernetes]),
];

const fn optional(name: &'static str, of: &'static [Kind]) -> Key {
    Key {
        name,
        of,
        is_needed: false,
        about: "",
    }
}

/// How tasks of one family run elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    kind: Kind,
    folder: PathBuf,
    values: BTreeMap<&'static str, String>,
}

impl Settings {
    /// From sections by name, of which later ones win.
    pub(super) fn new(
        kind: Kind,
        family: &str,
        sections: &[(&str, &[Entry])],
    ) -> Result<Self, PlanError> {
        if kind == Kind::Kubernetes && !cfg!(feature = "kubernetes") {
            return Err(PlanError::NotBuiltIn {
                family: family.to_owned(),
                engine: kind.name(),
            });
        }
        let mut values = BTreeMap::new();
        for (section, entries) in sections {
            for entry in *entries {
                let name = entry.key.replace('-', "_");
                let key = kind.keys().find(|key| key.name == name);
                let key = key.ok_or_else(|| PlanError::NoKey {
                    section: (*section).to_owned(),
                    key: entry.key.clone(),
                    origin: entry.origin.clone(),
                    engine: kind.name(),
                    known: kind.keys().map(|key| key.name).collect(),
                })?;
                if let Err(reason) = check(kind, key.name, &entry.value) {
                    return Err(PlanError::Value {
                        section: (*section).to_owned(),
                        key: entry.key.clone(),
                        value: entry.value.clone(),
                        origin: entry.origin.clone(),
                        reason,
                    });
                }
                values.insert(key.name, entry.value.clone());
            }
        }
        for key in kind.keys().filter(|key| key.is_needed) {
            if !values.contains_key(key.name) {
                return Err(PlanError::Missing {
                    family: family.to_owned(),
                    engine: kind.name(),
                    key: key.name,
                    about: key.about,
                });
            }
        }
        Ok(Self {
            kind,
            folder: values.remove("folder").unwrap_or_default().into(),
            values,
        })
    }

    /// The engine.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The folder that it shares with this machine.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program that is started there, if it is not this one.
    #[must_use]
    pub fn program(&self) -> Option<&Path> {
        self.text("program").map(Path::new)
    }

    /// The folder in which it works there, if it is not that of this process.
    #[must_use]
    pub fn working_folder(&self) -> Option<&Path> {
        self.text("working_folder").map(Path::new)
    }

    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        seconds(self.text(key)?)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }
}

fn check(kind: Kind, key: &str, value: &str) -> Result<(), &'static str> {
    let is_path = ["folder", "program", "working_folder", "volume_path"].contains(&key);
    match key {
        _ if value.trim().is_empty() => Err("there is nothing in it"),
        _ if is_path && !Path::new(value).is_absolute() => {
            Err("a path that is the same on both machines begins with /")
        }
        "interval" | "patience" if seconds(value).is_none() => Err("a number of seconds is wanted"),
        "cpus" if kind == Kind::Slurm && value.parse::<u32>().is_err() => {
            Err("a whole number is wanted")
        }
        "node_selector" if value.split_whitespace().any(|word| !word.contains('=')) => {
            Err("labels are wanted, as in disk=ssd zone=north")
        }
        "image_pull_policy" if !["Always", "IfNotPresent", "Never"].contains(&value) => {
            Err("there are Always, IfNotPresent and Never")
        }
        _ => Ok(()),
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
