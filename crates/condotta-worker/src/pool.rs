//! The threads on which a worker with several processes runs its tasks.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use crate::{
    Private, RunLog, TaskHandle, WorkerError, child, elsewhere,
    execute::{Deps, Settings, execute},
    host::WorkerHost,
    logs::run_span,
    panic::guard,
    running::{End, Finished, Outcome, Place},
    shared::{Incoming, Shared},
    task_table::TaskIndex,
};

/// A run to be done.
pub(crate) struct Job {
    pub(crate) index: TaskIndex,
    pub(crate) run: u64,
    pub(crate) task: TaskHandle,
    /// Its dependencies, if they were planned.
    pub(crate) deps: Option<Vec<TaskHandle>>,
    pub(crate) attempt: Option<u64>,
    pub(crate) place: Place,
    /// For at most so many seconds; 0 is without limit. A thread knows no limit.
    pub(crate) timeout_secs: f64,
}

/// As many threads as tasks ever ran at a time. They end when the pool is dropped and their runs
/// are over; a child process could not outlive the thread that started it.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    jobs: Sender<Job>,
    taken: Arc<Mutex<Receiver<Job>>>,
    threads: usize,
}

impl Pool {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let (jobs, taken) = channel();
        Self {
            shared,
            jobs,
            taken: Arc::new(Mutex::new(taken)),
            threads: 0,
        }
    }

    /// Starts a run at once, `running` being the number of runs including this one.
    pub(crate) fn start(&mut self, job: Job, running: usize) -> Result<(), WorkerError> {
        while self.threads < running {
            let (shared, taken) = (Arc::clone(&self.shared), Arc::clone(&self.taken));
            thread::Builder::new()
                .name(format!("task-{}", self.threads))
                .spawn(move || work(&shared, &taken))
                .map_err(WorkerError::Thread)?;
            self.threads += 1;
        }
        self.jobs
            .send(job)
            .expect("the pool itself holds the receiver");
        Ok(())
    }
}

fn work(shared: &Arc<Shared>, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().expect("nobody panics with this lock").recv();
        let Ok(job) = job else { return };
        let (index, run) = (job.index, job.run);
        let outcome = guard(|| run_job(shared, &job))
            .unwrap_or_else(|panic| Outcome::failed(panic.to_string(), End::Normal));
        drop(job);
        let finished = Finished {
            index,
            run,
            outcome,
        };
        // The worker may have gone.
        let _ = shared.mailbox.send(Incoming::Finished(Box::new(finished)));
    }
}

fn run_job(shared: &Arc<Shared>, job: &Job) -> Outcome {
    let task_id = job.task.task_id();
    let cancel = shared.cancels.begin(task_id, job.attempt, job.place);
    let private = Private::of(&*job.task);
    let log = shared.begin_log(task_id, job.attempt, &private);
    let host = WorkerHost::new(shared, &job.task, job.attempt, cancel, log.clone(), private);
    let outcome = run_with(shared, job, &host, log.as_ref());
    shared.finish_log(log.as_ref(), &outcome);
    outcome
}

fn run_with(
    shared: &Arc<Shared>,
    job: &Job,
    host: &WorkerHost<'_>,
    log: Option<&RunLog>,
) -> Outcome {
    let (task, timeout_secs) = (&job.task, job.timeout_secs);
    match (job.place, shared.engine(&**task)) {
        (Place::Elsewhere, Some(engine)) => {
            let _within = log.map(|log| run_span(log).entered());
            return elsewhere::supervise(shared, task, host, engine, timeout_secs);
        }
        (Place::Child, _) => return child::supervise(shared, task, host, log, timeout_secs),
        _ => {}
    }
    let _within = log.map(|log| run_span(log).entered());
    let deps = match &job.deps {
        Some(deps) => Deps::Listed(deps),
        None => Deps::Ask,
    };
    let outcome = execute(
        &*job.task,
        deps,
        host,
        host.messages(),
        &Settings::of(shared),
    );
    host.as_stopped(outcome)
}
