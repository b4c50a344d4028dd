//! Where tasks run, if not here: section `[engine]` of the configuration, for the worker.

use std::{collections::BTreeMap, io, path::Path};

use condotta_programs::{
    Attempt, Stream,
    engine::{Entry, Plan, PlanError, Section, Settings as EngineSettings, Start},
};
use condotta_worker::{
    RunContext,
    elsewhere::{Call, Engine, Engines},
};

use super::{
    settings::{SettingError, Settings},
    suggest,
};
use crate::{Result, class::TaskClass};

/// The configuration cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnginesError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("[engine] names {family}, which is no task of this program; did you mean {near}?")]
    Family { family: String, near: String },
    #[error("the program and its folder cannot be found out, to start it elsewhere")]
    Here(#[source] io::Error),
}

/// Where the tasks of this program run.
pub(crate) struct Elsewhere {
    families: BTreeMap<String, Option<Place>>,
    default: Option<Place>,
    arguments: Vec<String>,
}

/// An engine with what is to be started there.
struct Place {
    settings: EngineSettings,
    start: Start,
}

impl Elsewhere {
    /// What the settings say; `None` where everything runs here.
    pub(crate) fn new(
        settings: &Settings,
        classes: &[&'static TaskClass],
        arguments: Vec<String>,
    ) -> Result<Option<Self>, EnginesError> {
        let plan = Plan::new(&sections(settings)?)?;
        check_families(&plan, classes)?;
        if plan.is_local() {
            return Ok(None);
        }
        let program = std::env::current_exe().map_err(EnginesError::Here)?;
        let folder = std::env::current_dir().map_err(EnginesError::Here)?;
        let place = |settings: &EngineSettings| Place {
            settings: settings.clone(),
            start: Start {
                program: program.clone(),
                arguments: Vec::new(),
                working_folder: folder.clone(),
                folder: settings.folder().to_owned(),
            },
        };
        let families = plan.families();
        Ok(Some(Self {
            families: families
                .map(|family| (family.to_owned(), plan.settings(family).map(place)))
                .collect(),
            default: plan.default_settings().map(place),
            arguments,
        }))
    }
}

fn sections(settings: &Settings) -> Result<Vec<Section>, SettingError> {
    let config = settings.config();
    let names = config.section_names().filter(|name| Plan::reads(name));
    let read = |name: &str| {
        let entries = config.section(name)?.into_iter();
        Ok(Section {
            name: name.to_owned(),
            entries: entries
                .map(|(key, entry)| Entry {
                    key,
                    value: entry.value.to_text(),
                    origin: entry.origin.to_string(),
                })
                .collect(),
        })
    };
    names.map(read).collect()
}

/// A family that this program does not have may be one of another program that reads the same file, unless
/// it looks like one of ours.
fn check_families(plan: &Plan, classes: &[&'static TaskClass]) -> Result<(), EnginesError> {
    let known: Vec<String> = classes.iter().map(|class| (class.family)()).collect();
    for family in plan.families() {
        if known.iter().any(|name| name == family) {
            continue;
        }
        let names = known.iter().map(String::as_str).chain(["default"]);
        if let Some(near) = suggest::nearest(family, names) {
            return Err(EnginesError::Family {
                family: family.to_owned(),
                near: near.to_owned(),
            });
        }
    }
    Ok(())
}

impl Engines for Elsewhere {
    fn engine(&self, family: &str) -> Option<&dyn Engine> {
        let place = match self.families.get(family) {
            Some(place) => place.as_ref(),
            None => self.default.as_ref(),
        };
        place.map(|place| place as &dyn Engine)
    }

    fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

impl Engine for Place {
    fn folder(&self) -> &Path {
        self.settings.folder()
    }

    fn run(&self, call: &Call<'_>, context: &RunContext<'_>) -> Result<()> {
        let start = Start {
            arguments: call.arguments.iter().map(Into::into).collect(),
            folder: call.folder.clone(),
            ..self.start.clone()
        };
        Ok(self.settings.run(&start, &Run { call, context })?)
    }
}

/// What an engine needs of the run.
struct Run<'a> {
    call: &'a Call<'a>,
    context: &'a RunContext<'a>,
}

impl Attempt for Run<'_> {
    fn task_id(&self) -> &str {
        self.call.task_id
    }

    fn printed(&self, stream: Stream, text: &[u8]) {
        match stream {
            Stream::Stdout => self.context.program_printed(text),
            Stream::Stderr => self.context.program_complained(text),
        }
    }

    fn stop_requested(&self) -> bool {
        self.context.stop_requested()
    }

    fn set_tracking_url(&self, url: &str) {
        self.context.set_tracking_url(url);
    }

    fn set_status_message(&self, message: &str) {
        self.context.set_status_message(message);
    }

    fn set_progress_percentage(&self, percentage: f64) {
        self.context.set_progress_percentage(percentage);
    }

    fn secrets(&self) -> Vec<String> {
        self.call.secrets.clone()
    }
}
