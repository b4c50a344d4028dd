//! The scheduler in the worker's own process, as `--local-scheduler` has it: the state machine behind
//! a lock, with the clocks at the door.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, Answer, Config, GetWork, Now, PendingCounts, Refusal,
    Resources, Scheduler as Core, SchedulingFailure, Timestamp, Work, WorkerMessage,
};

use crate::{Scheduler, SchedulerError, Wake};

/// A scheduler in this process. Workers on several threads may share it.
pub struct LocalScheduler {
    core: Mutex<Core>,
    started: Instant,
    wakes: Mutex<Vec<Wake>>,
}

impl LocalScheduler {
    /// As Luigi's local scheduler: it prunes whenever it is asked for work, and keeps no history.
    #[must_use]
    pub fn new(config: Config, limits: BTreeMap<String, u64>) -> Self {
        let config = Config {
            prune_on_get_work: true,
            record_task_history: false,
            keep_events: false,
            ..config
        };
        Self {
            core: Mutex::new(Core::new(config, limits, fastrand::u64(..))),
            started: Instant::now(),
            wakes: Mutex::default(),
        }
    }

    /// Asks the scheduler itself, for what is no worker's business.
    pub fn with<T>(&self, ask: impl FnOnce(&mut Core, Now) -> T) -> T {
        let answer = ask(&mut self.core(), self.now());
        self.wake();
        answer
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core
            .lock()
            .expect("after a panic in the scheduler nothing it says can be relied on")
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            monotonic: Timestamp(self.started.elapsed().as_secs_f64()),
            wall: Timestamp(wall.unwrap_or_default().as_secs_f64()),
        }
    }

    fn ask<T>(
        &self,
        request: &'static str,
        ask: impl FnOnce(&mut Core, Now) -> Answer<T>,
    ) -> Result<T, SchedulerError> {
        let now = self.now();
        ask(&mut self.core(), now).map_err(|refusal| refused(request, &refusal))
    }

    /// Tells the workers that there may be something new. Those that have gone are forgotten.
    fn wake(&self) {
        self.wakes
            .lock()
            .expect("wakers do not panic")
            .retain(|wake| wake());
    }
}

fn refused(request: &'static str, refusal: &Refusal) -> SchedulerError {
    SchedulerError::Refused {
        request,
        reason: refusal.to_string(),
    }
}

impl Scheduler for LocalScheduler {
    fn add_task(&self, request: AddTask) -> Result<(), SchedulerError> {
        self.ask("add_task", |core, now| core.add_task(now, request))?;
        self.wake();
        Ok(())
    }

    fn add_tasks(&self, requests: Vec<AddTask>) -> Result<(), SchedulerError> {
        self.ask("add_task", |core, now| {
            requests
                .into_iter()
                .try_for_each(|request| core.add_task(now, request))
        })?;
        self.wake();
        Ok(())
    }

    fn add_task_batcher(&self, request: AddTaskBatcher) -> Result<(), SchedulerError> {
        self.ask("add_task_batcher", |core, now| {
            core.add_task_batcher(now, request)
        })
    }

    fn add_worker(&self, request: AddWorker) -> Result<(), SchedulerError> {
        self.ask("add_worker", |core, now| core.add_worker(now, request))
    }

    fn get_work(&self, request: GetWork) -> Result<Work, SchedulerError> {
        self.ask("get_work", |core, now| core.get_work(now, request))
    }

    fn count_pending(&self, worker: &str) -> Result<PendingCounts, SchedulerError> {
        self.ask("count_pending", |core, now| core.count_pending(now, worker))
    }

    fn ping(&self, worker: &str) -> Result<Vec<WorkerMessage>, SchedulerError> {
        self.ask("ping", |core, now| core.ping(now, worker))
    }

    fn announce_scheduling_failure(
        &self,
        worker: &str,
        task_name: &str,
        family: &str,
        params: &[(String, String)],
        expl: &str,
        owners: &[String],
    ) -> Result<(), SchedulerError> {
        let failure = SchedulingFailure {
            worker: worker.to_owned(),
            task_name: task_name.to_owned(),
            family: family.to_owned(),
            params: params.to_vec(),
            expl: expl.to_owned(),
            owners: owners.to_vec(),
        };
        self.ask("announce_scheduling_failure", |core, now| {
            core.announce_scheduling_failure(now, failure)
        })
    }

    fn set_task_status_message(&self, task_id: &str, message: &str) -> Result<(), SchedulerError> {
        self.ask("set_task_status_message", |core, now| {
            core.set_task_status_message(now, task_id, Some(message.to_owned()))
        })
    }

    fn set_task_progress_percentage(
        &self,
        task_id: &str,
        percentage: f64,
    ) -> Result<(), SchedulerError> {
        self.ask("set_task_progress_percentage", |core, now| {
            core.set_task_progress_percentage(now, task_id, Some(percentage))
        })
    }

    fn decrease_running_task_resources(
        &self,
        task_id: &str,
        decrease: &Resources,
    ) -> Result<(), SchedulerError> {
        self.ask("decrease_running_task_resources", |core, now| {
            core.decrease_running_task_resources(now, task_id, decrease.clone())
        })?;
        self.wake();
        Ok(())
    }

    fn add_scheduler_message_response(
        &self,
        task_id: &str,
        message_id: &str,
        response: &str,
    ) -> Result<(), SchedulerError> {
        self.ask("add_scheduler_message_response", |core, now| {
            core.add_scheduler_message_response(now, task_id, message_id, response.to_owned())
        })
    }

    fn impossible(&self, task_id: &str) -> Option<String> {
        let need = self.core().impossible_need(task_id)?;
        Some(format!(
            "{need}: raise the limit in section [resources] (a resource that is not named there has a \
             limit of 1)"
        ))
    }

    fn subscribe(&self, _worker: &str, wake: Wake) {
        self.wakes.lock().expect("wakers do not panic").push(wake);
    }

    fn until_next_ask(&self, _worker: &str, planned: Duration) -> Duration {
        let Some(due) = self.core().poll_timeout() else {
            return planned;
        };
        let secs = due.since(self.now().monotonic).max(0.0);
        Duration::try_from_secs_f64(secs).map_or(planned, |until| planned.min(until))
    }
}
