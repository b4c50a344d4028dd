//! A scheduler that writes down what it is asked, and hands out what is ready in order.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, Assignment, GetWork, PendingCounts, Recipe, Resources,
    Status, Work, WorkerMessage, WorkerState,
};
use condotta_worker::{LogAnswer, LogBatch, Scheduler, SchedulerError};

/// What was asked, shortly.
#[derive(Default)]
pub struct Fake {
    state: Mutex<State>,
}

#[derive(Default)]
pub struct State {
    pub log: Vec<String>,
    pub requests: Vec<AddTask>,
    pub tasks: BTreeMap<String, (usize, Status, bool, Vec<String>)>,
    pub counts: Option<PendingCounts>,
    pub messages: Vec<WorkerMessage>,
    pub pings: usize,
    pub answers: Vec<Assignment>,
    pub unreachable: bool,
    /// How many of the next announcements and reports do not get through.
    pub lost_tasks: usize,
    /// Claims of runs take so long to arrive that a run can end meanwhile.
    pub slow_claims: bool,
    pub claims_on_their_way: usize,
    pub outages: u64,
    /// Whether it takes back what a worker that goes did not finish.
    pub takes_back: bool,
    pub released: usize,
    /// Whether it keeps what runs print.
    pub keeps_logs: bool,
    /// What runs printed: the task, where it was printed, the text.
    pub printed: Vec<(String, &'static str, String)>,
    /// What was said to wishes to end runs.
    pub cancel_answers: Vec<String>,
}

impl State {
    /// As a server that was killed.
    pub fn forget(&mut self) {
        self.tasks.clear();
        self.outages += 1;
    }
}

impl Fake {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    fn lose_one(&self) -> Result<(), SchedulerError> {
        let mut state = self.state();
        let left = state.lost_tasks.checked_sub(1);
        match left {
            None => Ok(()),
            Some(left) => {
                state.lost_tasks = left;
                Err(unreachable())
            }
        }
    }

    /// A slow claim waits for the report of its run, for a while.
    fn delay_claim(&self, request: &AddTask) {
        if request.status != Status::Running || !self.state().slow_claims {
            return;
        }
        self.state().claims_on_their_way += 1;
        let end = Instant::now() + Duration::from_millis(500);
        let failed = |state: &State| {
            let task = state.tasks.get(&request.task_id);
            task.is_some_and(|task| task.1 == Status::Failed)
        };
        while Instant::now() < end && !failed(&self.state()) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn record(&self, line: String) -> Result<(), SchedulerError> {
        let mut state = self.state();
        if state.unreachable {
            return Err(unreachable());
        }
        state.log.push(line);
        Ok(())
    }
}

pub fn no_counts() -> PendingCounts {
    PendingCounts {
        n_pending_tasks: 0,
        n_unique_pending: 0,
        n_pending_last_scheduled: 0,
        worker_state: WorkerState::Active,
        running_tasks: Vec::new(),
    }
}

fn unreachable() -> SchedulerError {
    SchedulerError::Unreachable {
        request: "any",
        url: "nowhere".to_owned(),
        source: "gone".into(),
    }
}

impl Scheduler for Fake {
    fn add_task(&self, request: AddTask) -> Result<(), SchedulerError> {
        self.lose_one()?;
        self.delay_claim(&request);
        let deps = request
            .deps
            .as_ref()
            .map(|deps| format!(" deps={}", deps.join(",")));
        let new_deps = request.new_deps.as_ref().filter(|deps| !deps.is_empty());
        let new_deps = new_deps.map(|deps| format!(" new_deps={}", deps.join(",")));
        self.record(format!(
            "{} {} {}{}{}",
            request.task_id,
            request.status.name(),
            match request.runnable {
                None => "report",
                Some(true) => "runnable",
                Some(false) => "not-runnable",
            },
            deps.unwrap_or_default(),
            new_deps.unwrap_or_default(),
        ))?;
        let mut state = self.state();
        let number = state.tasks.len();
        let task = state.tasks.entry(request.task_id.clone()).or_insert((
            number,
            Status::Pending,
            false,
            Vec::new(),
        ));
        task.1 = request.status;
        task.2 |= request.runnable == Some(true);
        if let Some(deps) = &request.deps {
            task.3.clone_from(deps);
        }
        task.3.extend(request.new_deps.iter().flatten().cloned());
        state.requests.push(request);
        Ok(())
    }

    fn add_task_batcher(&self, request: AddTaskBatcher) -> Result<(), SchedulerError> {
        self.record(format!(
            "batcher {} {}",
            request.task_family,
            request.batched_args.join(",")
        ))
    }

    fn add_worker(&self, request: AddWorker) -> Result<(), SchedulerError> {
        let names: Vec<String> = request.info.into_iter().map(|(name, _)| name).collect();
        self.record(format!("add_worker {}", names.join(",")))
    }

    fn get_work(&self, _: GetWork) -> Result<Work, SchedulerError> {
        self.record("get_work".to_owned())?;
        let mut state = self.state();
        let counts = state.counts.clone().unwrap_or_else(no_counts);
        if !state.answers.is_empty() {
            let assignment = state.answers.remove(0);
            return Ok(Work { counts, assignment });
        }
        let done = |id: &String| {
            state
                .tasks
                .get(id)
                .is_some_and(|task| task.1 == Status::Done)
        };
        let ready = state
            .tasks
            .iter()
            .filter(|(_, task)| task.1 == Status::Pending && task.2 && task.3.iter().all(done))
            .min_by_key(|(_, task)| task.0);
        let Some((task_id, _)) = ready else {
            return Ok(Work {
                counts,
                assignment: Assignment::Nothing,
            });
        };
        let task_id = task_id.clone();
        state.tasks.get_mut(&task_id).unwrap().1 = Status::Running;
        Ok(Work {
            counts,
            assignment: Assignment::Task {
                task_id,
                recipe: Recipe {
                    family: String::new(),
                    module: None,
                    params: Vec::new(),
                },
                attempt: 7,
            },
        })
    }

    fn count_pending(&self, _: &str) -> Result<PendingCounts, SchedulerError> {
        self.record("count_pending".to_owned())?;
        Ok(self.state().counts.clone().unwrap_or_else(no_counts))
    }

    fn ping(&self, _: &str) -> Result<Vec<WorkerMessage>, SchedulerError> {
        let mut state = self.state();
        state.pings += 1;
        if state.unreachable {
            return Err(SchedulerError::Refused {
                request: "ping",
                reason: "no".to_owned(),
            });
        }
        Ok(std::mem::take(&mut state.messages))
    }

    fn announce_scheduling_failure(
        &self,
        _: &str,
        task_name: &str,
        _: &str,
        _: &[(String, String)],
        expl: &str,
        _: &[String],
    ) -> Result<(), SchedulerError> {
        self.record(format!("scheduling-failure {task_name}: {expl}"))
    }

    fn set_task_status_message(&self, task_id: &str, message: &str) -> Result<(), SchedulerError> {
        self.record(format!("{task_id} says {message}"))
    }

    fn set_task_progress_percentage(
        &self,
        task_id: &str,
        percentage: f64,
    ) -> Result<(), SchedulerError> {
        self.record(format!("{task_id} is at {percentage}"))
    }

    fn decrease_running_task_resources(
        &self,
        task_id: &str,
        decrease: &Resources,
    ) -> Result<(), SchedulerError> {
        self.record(format!("{task_id} gives back {decrease:?}"))
    }

    fn answer_cancel(&self, _: &str, _: &str, _: u64, answer: &str) -> Result<(), SchedulerError> {
        self.state().cancel_answers.push(answer.to_owned());
        Ok(())
    }

    fn takes_logs(&self, _: &str) -> bool {
        self.state().keeps_logs
    }

    fn send_log(&self, _: &str, batch: &LogBatch<'_>) -> LogAnswer {
        let mut state = self.state();
        for frame in batch.frames {
            let text = String::from_utf8_lossy(&frame.text).into_owned();
            let from = frame.source.name();
            state.printed.push((batch.task_id.to_owned(), from, text));
        }
        LogAnswer::Taken {
            id: "0193a5c2b7e-5f3c09aa".to_owned(),
            last: batch.frames.last().map_or(0, |frame| frame.number),
        }
    }

    fn outages(&self) -> u64 {
        self.state().outages
    }

    fn knows(&self, task_id: &str) -> Result<bool, SchedulerError> {
        self.record(format!("knows {task_id}"))?;
        Ok(self.state().tasks.contains_key(task_id))
    }

    fn release(&self, _: &str) -> bool {
        let mut state = self.state();
        state.released += 1;
        state.takes_back
    }

    fn add_scheduler_message_response(
        &self,
        task_id: &str,
        message_id: &str,
        response: &str,
    ) -> Result<(), SchedulerError> {
        self.record(format!("{task_id} answers {message_id}: {response}"))
    }
}
