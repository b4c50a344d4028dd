//! What a running task has at hand.

use std::sync::{Mutex, PoisonError};

use condotta_programs::{Argument, Attempt, Program, Stream};
use condotta_scheduler::Visibility;
use condotta_targets::Outputs;
use condotta_worker::{Messages, RunContext, TaskHandle};

use super::{Input, IntoResources, Output, Requires, Task};
use crate::Result;

/// A run of the task `T`: its input, its output, and its line to the scheduler.
pub struct Run<'a, T: Task> {
    task: &'a T,
    id: &'a str,
    context: &'a RunContext<'a>,
    /// The input, if it had to be looked up before the run; the first to ask takes it.
    input: Mutex<Option<Input<T>>>,
    required: Mutex<Vec<TaskHandle>>,
}

impl<'a, T: Task> Run<'a, T> {
    /// # Errors
    /// There is an error in place of what is required or of an output.
    pub(super) fn new(task: &'a T, id: &'a str, context: &'a RunContext<'a>) -> Result<Self> {
        let input = match T::Requires::FALLIBLE {
            true => Some(task.requires().into_input(None)?),
            false => None,
        };
        if T::Output::FALLIBLE {
            task.output().into_targets()?;
        }
        Ok(Self {
            task,
            id,
            context,
            input: Mutex::new(input),
            required: Mutex::default(),
        })
    }

    /// The outputs of the tasks that this one requires, in the shape in which
    /// [`requires`](Task::requires) names them.
    ///
    /// # Panics
    /// `requires` returns an error now though it did not before the run.
    #[must_use]
    pub fn input(&self) -> Input<T> {
        let known = self
            .input
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        known.unwrap_or_else(|| {
            let input = self.task.requires().into_input(None);
            input.expect("`requires` gave no error before the run")
        })
    }

    /// The task's own output.
    ///
    /// # Panics
    /// `output` returns an error now though it did not before the run.
    #[must_use]
    pub fn output(&self) -> Output<T> {
        self.task
            .output()
            .into_targets()
            .expect("`output` gave no error before the run")
    }

    /// Requires more tasks, in any shape: a dynamic dependency. Returns their outputs if they are
    /// complete.
    ///
    /// Otherwise this run is over: leave it with `?`. It starts **again from the top** when the
    /// tasks are complete, so do not do twice what must be done once before asking. The run counts
    /// as suspended even if the error is not passed on.
    ///
    /// ```
    /// use condotta::prelude::*;
    /// # #[derive(Task)] struct Page { number: usize }
    /// # #[task] impl Task for Page { fn output(&self) -> LocalTarget { LocalTarget::new("p") } }
    ///
    /// #[derive(Task)]
    /// struct Book;
    ///
    /// #[task]
    /// impl Task for Book {
    ///     fn run(&self, run: &Run<Self>) -> Result<()> {
    ///         let first: LocalTarget = run.require(Page { number: 0 })?;
    ///         let count: usize = first.read()?;
    ///         let pages: Vec<LocalTarget> =
    ///             run.require((1..=count).map(|number| Page { number }).collect::<Vec<_>>())?;
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Not all of the tasks are complete ([`Suspended`]), or that can't be found out.
    pub fn require<R: Requires>(&self, tasks: R) -> Result<R::Input> {
        let mut handles = Vec::new();
        let input = tasks.into_input(Some(&mut handles))?;
        for handle in &handles {
            if !handle.complete()? {
                let task = handle.display_name();
                self.required
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .append(&mut handles);
                return Err(Suspended { task }.into());
            }
        }
        Ok(input)
    }

    /// A program for this run to call; see [`Program`]. What it prints appears where the worker prints
    /// and in the run's log. When the run is cancelled or stopped, when its time is over or its worker is
    /// killed, the program ends with all that it started.
    ///
    /// ```
    /// use condotta::prelude::*;
    ///
    /// /// The lines of a text, in order.
    /// #[derive(Task)]
    /// struct Sorted {
    ///     text: String,
    /// }
    ///
    /// #[task]
    /// impl Task for Sorted {
    ///     fn output(&self) -> LocalTarget {
    ///         LocalTarget::new(format!("{}.sorted", self.text))
    ///     }
    ///
    ///     fn run(&self, run: &Run<Self>) -> Result<()> {
    ///         let sort = run.program("sort").arg(&self.text).env("LC_ALL", "C");
    ///         Ok(sort.stdout(&run.output()).run()?)
    ///     }
    /// }
    /// ```
    pub fn program(&self, program: impl Argument) -> Program<'_> {
        Program::new(program, self)
    }

    /// Says what the run does.
    pub fn set_status_message(&self, message: impl AsRef<str>) {
        self.context.set_status_message(message.as_ref());
    }

    /// Says how far the run is, in percent.
    pub fn set_progress_percentage(&self, percentage: f64) {
        self.context.set_progress_percentage(percentage);
    }

    /// Says where the run can be watched.
    pub fn set_tracking_url(&self, url: impl AsRef<str>) {
        self.context.set_tracking_url(url.as_ref());
    }

    /// Gives back a part of what the run takes: `run.decrease_running_resources([("gpu", 1)])`.
    pub fn decrease_running_resources(&self, resources: impl IntoResources) {
        self.context
            .decrease_running_resources(&resources.into_resources());
    }

    /// Tells the program's listeners something, as `event.core.progress`.
    pub fn trigger_progress(&self, message: impl AsRef<str>) {
        self.context.trigger_progress(message.as_ref());
    }

    /// The messages that were sent to this run. There are none unless the task
    /// [`accepts_messages`](Task::accepts_messages).
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        self.context.messages()
    }

    /// Whether the program is to stop now. A long run looks at this now and then, and returns an
    /// error when it is so. That is no failure to a scheduler that takes runs back, as ours does.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.context.stop_requested()
    }

    pub(super) fn into_required(self) -> Vec<TaskHandle> {
        self.required
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a program needs of the run.
impl<T: Task> Attempt for Run<'_, T> {
    fn task_id(&self) -> &str {
        self.id
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

    /// The values of private parameters.
    fn secrets(&self) -> Vec<String> {
        let specs = T::class().specs.iter();
        let values = specs.zip(self.task.values());
        let private = values.filter(|(spec, _)| spec.visibility == Visibility::Private);
        private.map(|(_, value)| value).collect()
    }

    fn group_started(&self, group: u32) {
        self.context.group_started(group);
    }

    fn group_ended(&self, group: u32) {
        self.context.group_ended(group);
    }

    fn is_ended_by_signal(&self) -> bool {
        self.context.is_ended_by_signal()
    }
}

/// A run can't go on before other tasks are complete. Not a failure: pass it on.
#[derive(Debug, thiserror::Error)]
#[error("waits for {task}")]
pub struct Suspended {
    task: String,
}
