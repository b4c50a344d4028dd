//! The steps of a worker of Rust tasks: ask for work, run it, wait, stay or leave. Their order is in
//! `steps`.

use std::{
    sync::{Arc, atomic::Ordering, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

use condotta_scheduler::{AddWorker, InfoValue, PendingCounts, WorkerState};

use crate::{
    Private, Worker, WorkerError,
    execute::{Deps, Settings, execute},
    get_work::WorkResponse,
    host::WorkerHost,
    logs::run_span,
    pool::Job,
    running::{Finished, Place, Running},
    shared::Incoming,
    steps::{self, Left, StayPolicy, Steps},
    task_table::{Phase, TaskIndex},
};

impl Worker {
    /// Runs what was planned, and what the scheduler gives beside it. Returns whether every task
    /// that ran here ended well: done, or waiting for dependencies that it found while running.
    pub fn run(&mut self) -> Result<bool, WorkerError> {
        let _busy = self.shared.stop.busy();
        self.start_keep_alive()?;
        tracing::info!(
            target: "luigi-interface",
            "Running Worker with {} processes",
            self.processes(),
        );
        self.run_succeeded = true;
        if let Some(observer) = &self.shared.observer {
            observer.run_started(&self.tasks.counts());
        }
        let result = self
            .add_worker()
            .and_then(|()| steps::run(&mut MainLoop(self)));
        if let Some(observer) = &self.shared.observer {
            observer.run_finished(&self.tasks.counts());
        }
        self.stop_keep_alive();
        self.explain_what_is_left();
        self.take_leave(&result);
        result.map(|()| self.run_succeeded)
    }

    pub(crate) fn is_full(&self) -> bool {
        let processes = self.processes();
        processes > 0 && self.running.len() >= processes
    }

    /// Says what kind of worker this is.
    pub(crate) fn add_worker(&mut self) -> Result<(), WorkerError> {
        let first_task = match &self.first_task {
            Some(task_id) => InfoValue::Text(task_id.clone()),
            None => InfoValue::Null,
        };
        let mut info = self.info.clone();
        // Only a scheduler that takes what runs print can have them ended.
        if self.shared.scheduler.takes_logs(&self.shared.id) {
            info.push(("cancels".to_owned(), InfoValue::Bool(true)));
        }
        if self.shared.sends_logs() {
            info.push(("sends_logs".to_owned(), InfoValue::Bool(true)));
        }
        info.push(("first_task".to_owned(), first_task));
        self.shared.scheduler.add_worker(AddWorker {
            worker: self.shared.id.clone(),
            info,
        })?;
        Ok(())
    }

    /// Starts a run: here and now, on a thread, or in a child process.
    pub(crate) fn start_run(
        &mut self,
        index: TaskIndex,
        attempt: Option<u64>,
    ) -> Result<(), WorkerError> {
        if self.running.contains_key(&index) {
            tracing::debug!(
                target: "luigi-interface",
                "Got already running task id {} from scheduler, taking a break",
                self.tasks.task(index).task_id(),
            );
            self.take_a_break();
            return Ok(());
        }
        let task = self.tasks.task(index);
        let timeout_secs = task
            .worker_timeout()
            .unwrap_or(self.shared.config.timeout as f64);
        let place = if self.shared.engine(&**task).is_some() {
            Place::Elsewhere
        } else if self.shared.config.force_multiprocessing || timeout_secs > 0.0 {
            Place::Child
        } else {
            Place::Thread
        };
        let run = self.next_run;
        self.next_run += 1;
        self.running.insert(
            index,
            Running {
                run,
                attempt,
                place,
            },
        );
        self.shared.claims.start(self.tasks.task(index), attempt);
        self.tasks.set_phase(index, Phase::Running);
        if let Some(observer) = &self.shared.observer {
            observer.task_started(&**self.tasks.task(index), &self.tasks.counts());
        }
        if place.can_be_ended() || self.processes() > 1 {
            let job = Job {
                place,
                timeout_secs,
                ..self.job(index, run, attempt)
            };
            return self.pool.start(job, self.running.len());
        }
        self.run_here(index, run, attempt);
        Ok(())
    }

    fn job(&self, index: TaskIndex, run: u64, attempt: Option<u64>) -> Job {
        let planned = self.tasks.entry(index).deps.as_deref();
        Job {
            index,
            run,
            task: Arc::clone(self.tasks.task(index)),
            deps: planned.map(|deps| {
                let deps = deps.iter().map(|dep| Arc::clone(self.tasks.task(*dep)));
                deps.collect()
            }),
            attempt,
            place: Place::Thread,
            timeout_secs: 0.0,
        }
    }

    /// One worker without time-outs runs its tasks on its own thread.
    fn run_here(&mut self, index: TaskIndex, run: u64, attempt: Option<u64>) {
        let entry = self.tasks.entry(index);
        let task_id = entry.task.task_id();
        let cancel = self.shared.cancels.begin(task_id, attempt, Place::Thread);
        let private = Private::of(&*entry.task);
        let log = self.shared.begin_log(task_id, attempt, &private);
        let host = WorkerHost::new(
            &self.shared,
            &entry.task,
            attempt,
            cancel,
            log.clone(),
            private,
        );
        let deps = match entry.deps.as_deref() {
            Some(indices) => Deps::Planned(&self.tasks, indices),
            None => Deps::Ask,
        };
        let within = log.as_ref().map(|log| run_span(log).entered());
        let outcome = execute(
            &*entry.task,
            deps,
            &host,
            host.messages(),
            &Settings::of(&self.shared),
        );
        drop(within);
        let outcome = host.as_stopped(outcome);
        self.shared.finish_log(log.as_ref(), &outcome);
        drop(host);
        self.finished.push_back(Finished {
            index,
            run,
            outcome,
        });
    }

    fn log_remote_tasks(&self, counts: &PendingCounts) {
        tracing::debug!(target: "luigi-interface", "Done");
        tracing::debug!(target: "luigi-interface", "There are no more tasks to run at this time");
        if !counts.running_tasks.is_empty() {
            for task in &counts.running_tasks {
                tracing::debug!(
                    target: "luigi-interface",
                    "{} is currently run by worker {}",
                    task.task_id,
                    task.worker,
                );
            }
        } else if counts.n_pending_tasks > 0 {
            tracing::debug!(
                target: "luigi-interface",
                "There are {} pending tasks possibly being run by other workers",
                counts.n_pending_tasks,
            );
            if counts.n_unique_pending > 0 {
                tracing::debug!(
                    target: "luigi-interface",
                    "There are {} pending tasks unique to this worker",
                    counts.n_unique_pending,
                );
            }
            if counts.n_pending_last_scheduled > 0 {
                tracing::debug!(
                    target: "luigi-interface",
                    "There are {} pending tasks last scheduled by this worker",
                    counts.n_pending_last_scheduled,
                );
            }
        }
    }

    /// Until a worker that has nothing to do leaves, if it does for that reason.
    fn idle_time_left(&self) -> Option<Duration> {
        let limit = self.shared.config.max_keep_alive_idle_duration;
        let idle_since = self.idle_since.filter(|_| !limit.is_zero())?;
        Some(limit.saturating_sub(idle_since.elapsed()))
    }

    fn idles_on(&self) -> bool {
        let Some(left) = self.idle_time_left() else {
            return true;
        };
        tracing::debug!(
            target: "luigi-interface",
            "[{}] {:.6} until shutdown",
            self.shared.id,
            left.as_secs_f64(),
        );
        !left.is_zero()
    }

    /// Asks for no more work, and leaves when what runs has finished.
    pub(crate) fn phase_out(&mut self) {
        self.keep_alive = false;
        self.stop_requesting_work = true;
    }

    /// Waits before asking again, unless something happens earlier.
    fn take_a_break(&mut self) {
        let config = &self.shared.config;
        let secs = config.wait_interval + config.wait_jitter * fastrand::f64();
        let planned = Duration::from_secs_f64(secs);
        let shared = &self.shared;
        let mut wait = shared.scheduler.until_next_ask(&shared.id, planned);
        if let Some(left) = self.idle_time_left() {
            // To be woken is no reason to stay longer.
            wait = wait.min(left.max(planned));
        }
        tracing::debug!(
            target: "luigi-interface",
            "Sleeping for {:.6} seconds",
            wait.as_secs_f64(),
        );
        if let Some(finished) = self.receive(wait) {
            self.finished.push_back(finished);
        }
    }

    /// Waits for the end of a run, until `wait` is over or something else happens.
    pub(crate) fn receive(&mut self, wait: Duration) -> Option<Finished> {
        if let Ok(Incoming::Finished(finished)) = self.mailbox.try_recv() {
            return Some(*finished);
        }
        self.shared.waiting.store(true, Ordering::SeqCst);
        let changes = self.shared.changes.load(Ordering::SeqCst);
        if std::mem::replace(&mut self.seen_changes, changes) != changes {
            // It happened before anybody waited for it.
            self.shared.waiting.store(false, Ordering::SeqCst);
            return None;
        }
        let incoming = self.mailbox.recv_timeout(wait);
        self.shared.waiting.store(false, Ordering::SeqCst);
        match incoming {
            Ok(Incoming::Finished(finished)) => Some(*finished),
            Ok(Incoming::Wake) | Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the worker itself holds a sender")
            }
        }
    }
}

/// A worker while it runs.
struct MainLoop<'a>(&'a mut Worker);

impl Steps for MainLoop<'_> {
    type Answer = WorkResponse;
    type Work = (TaskIndex, Option<u64>);
    type Error = WorkerError;

    fn running(&mut self) -> Result<usize, WorkerError> {
        Ok(self.0.running.len())
    }

    fn max_running(&mut self) -> Result<usize, WorkerError> {
        Ok(self.0.processes())
    }

    fn get_work(&mut self) -> Result<WorkResponse, WorkerError> {
        self.0.ask_for_work()
    }

    fn is_disabled(&mut self, answer: &WorkResponse) -> Result<bool, WorkerError> {
        Ok(answer.counts.worker_state == WorkerState::Disabled)
    }

    fn take_work(&mut self, answer: &mut WorkResponse) -> Result<Option<Self::Work>, WorkerError> {
        Ok(answer.task.take())
    }

    fn run_task(&mut self, answer: &WorkResponse, work: Self::Work) -> Result<(), WorkerError> {
        tracing::debug!(
            target: "luigi-interface",
            "Pending tasks: {}",
            answer.counts.n_pending_tasks,
        );
        let (task, attempt) = work;
        self.0.start_run(task, attempt)
    }

    fn handle_next_task(&mut self) -> Result<(), WorkerError> {
        self.0.handle_next_run()
    }

    fn say_waiting(&mut self, running: usize, leaves: bool) -> Result<(), WorkerError> {
        if leaves {
            tracing::debug!(
                target: "luigi-interface",
                "Shut down Worker, {running} more tasks to go",
            );
        } else {
            tracing::debug!(
                target: "luigi-interface",
                "{running} running tasks, waiting for next task to finish",
            );
        }
        Ok(())
    }

    fn start_phasing_out(&mut self) -> Result<(), WorkerError> {
        self.0.phase_out();
        Ok(())
    }

    fn say_nothing_to_do(&mut self, answer: &WorkResponse) -> Result<(), WorkerError> {
        if !self.0.stop_requesting_work {
            self.0.log_remote_tasks(&answer.counts);
        }
        Ok(())
    }

    fn stays_alive(&mut self, answer: &WorkResponse) -> Result<bool, WorkerError> {
        self.0.idle_since.get_or_insert_with(Instant::now);
        let config = &self.0.shared.config;
        let policy = StayPolicy {
            keep_alive: self.0.keep_alive,
            assistant: self.0.shared.assistant,
            count_last_scheduled: config.count_last_scheduled,
            count_uniques: config.count_uniques,
        };
        let left = Left {
            pending: answer.counts.n_pending_tasks,
            unique: answer.counts.n_unique_pending,
            last_scheduled: answer.counts.n_pending_last_scheduled,
        };
        policy.stays(left, || Ok(self.0.idles_on()))
    }

    fn sleep(&mut self) -> Result<(), WorkerError> {
        self.0.take_a_break();
        Ok(())
    }
}
