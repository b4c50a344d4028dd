//! What parent and child say to one another: one JSON object a line.

use std::collections::BTreeMap;

use condotta_scheduler::{ParamValue, Recipe, Status};
use serde::{Deserialize, Serialize};

use crate::{
    Runnable,
    running::{End, Outcome, Requirements},
    shared::Shared,
};

/// How a task is built. Unlike what the scheduler knows, private parameters are in it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskRecipe {
    pub(crate) task_id: String,
    family: String,
    module: Option<String>,
    params: Vec<(String, String)>,
}

impl TaskRecipe {
    pub(crate) fn of(task: &dyn Runnable) -> Self {
        let params = task.params().into_iter();
        Self {
            task_id: task.task_id().to_owned(),
            family: task.family().to_owned(),
            module: task.module().map(ToOwned::to_owned),
            params: params.map(|param| (param.name, param.value)).collect(),
        }
    }

    pub(crate) fn into_recipe(self) -> Recipe {
        let params = self.params.into_iter();
        Recipe {
            family: self.family,
            module: self.module,
            params: params
                .map(|(name, value)| (name, ParamValue::One(value)))
                .collect(),
        }
    }
}

/// From parent to child. The first one is `Run`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ToChild {
    Run {
        task: TaskRecipe,
        worker_id: String,
        check_unfulfilled_deps: bool,
        check_complete_on_run: bool,
    },
    Message {
        id: String,
        content: String,
    },
}

impl ToChild {
    pub(crate) fn run(task: &dyn Runnable, shared: &Shared) -> Self {
        Self::Run {
            task: TaskRecipe::of(task),
            worker_id: shared.id.clone(),
            check_unfulfilled_deps: shared.config.check_unfulfilled_deps,
            check_complete_on_run: shared.config.check_complete_on_run,
        }
    }
}

/// From child to parent. The last one is `Result`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FromChild {
    Start,
    ProcessingTime {
        secs: f64,
    },
    Success,
    Failure {
        text: String,
    },
    Progress {
        message: String,
    },
    TrackingUrl {
        url: String,
    },
    StatusMessage {
        message: String,
    },
    ProgressPercentage {
        percentage: f64,
    },
    DecreaseResources {
        decrease: BTreeMap<String, u64>,
    },
    Respond {
        message_id: String,
        response: String,
    },
    GroupStarted {
        group: u32,
    },
    GroupEnded {
        group: u32,
    },
    Result {
        status: String,
        expl: Option<String>,
        missing: Vec<String>,
        requirements: Vec<TaskRecipe>,
    },
}

impl FromChild {
    pub(crate) fn result(outcome: Outcome) -> Self {
        let requirements = match outcome.requirements {
            Requirements::Tasks(tasks) => tasks,
            Requirements::Recipes(_) => unreachable!("a child has the tasks themselves"),
        };
        Self::Result {
            status: outcome.status.name().to_owned(),
            expl: outcome.expl,
            missing: outcome.missing,
            requirements: requirements
                .iter()
                .map(|task| TaskRecipe::of(&**task))
                .collect(),
        }
    }
}

/// The outcome that a child's last word tells of.
pub(crate) fn outcome(
    status: &str,
    expl: Option<String>,
    missing: Vec<String>,
    requirements: Vec<TaskRecipe>,
) -> Outcome {
    let requirements = requirements.into_iter().map(TaskRecipe::into_recipe);
    Outcome {
        status: Status::from_name(status).unwrap_or(Status::Failed),
        expl,
        missing,
        requirements: Requirements::Recipes(requirements.collect()),
        end: End::Normal,
    }
}

/// One line, with its end.
pub(crate) fn line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("texts, numbers and lists are JSON");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_line_and_reads_back() {
        let word = FromChild::Failure {
            text: "first\nsecond".to_owned(),
        };
        let line = line(&word);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(serde_json::from_slice::<FromChild>(&line).unwrap(), word);
    }
}
