//! The worker: what it holds, how it is made, and what can be asked of it.
//!
//! Its steps are in `plan` (adding tasks), `main_loop` (asking for work), `report` (what comes back).

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
        mpsc::{Receiver, channel},
    },
    time::Instant,
};

use condotta_scheduler::{AddTask, InfoValue, Status};

use crate::{
    Scheduler, StopLevel, StopSignal, Summary, TaskCounts, TaskHandle, WorkerConfig, WorkerError,
    WorkerOptions,
    cancel::Cancels,
    claims::Claims,
    history::History,
    identity,
    keep_alive::KeepAlive,
    messages::MessageRoutes,
    pool::Pool,
    recover::Recovery,
    running::{Finished, Running},
    shared::{Incoming, Shared},
    stop::Registration,
    task_table::{Phase, TaskIndex, TaskTable},
};

/// Plans tasks, asks a scheduler for work, runs it and reports.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use condotta_worker::{Worker, WorkerConfig, WorkerOptions, Scheduler, TaskHandle, WorkerError};
/// # fn run(scheduler: Arc<dyn Scheduler>, root: TaskHandle) -> Result<(), WorkerError> {
/// let mut worker = Worker::new(scheduler, WorkerConfig::default(), WorkerOptions::default())?;
/// let scheduled = worker.add(root)?;
/// let succeeded = worker.run()? && scheduled;
/// println!("{}", worker.summary());
/// # Ok(()) }
/// ```
pub struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) info: Vec<(String, InfoValue)>,
    pub(crate) host: Option<String>,
    pub(crate) first_task: Option<String>,
    pub(crate) tasks: TaskTable,
    pub(crate) history: History,
    /// Announced to nobody yet; they travel together.
    pub(crate) announcements: Vec<AddTask>,
    /// Families that were planned, and whether their tasks can be batched.
    pub(crate) families: HashMap<String, bool>,
    pub(crate) running: BTreeMap<TaskIndex, Running>,
    pub(crate) next_run: u64,
    /// Members of batches that run, by their combined task.
    pub(crate) batches: BTreeMap<TaskIndex, Vec<TaskIndex>>,
    /// How often a dependency was missing when a task ran.
    pub(crate) unfulfilled: HashMap<String, u64>,
    pub(crate) add_succeeded: bool,
    pub(crate) run_succeeded: bool,
    pub(crate) stop_requesting_work: bool,
    pub(crate) keep_alive: bool,
    pub(crate) idle_since: Option<Instant>,
    /// The changes that the main loop has heard of.
    pub(crate) seen_changes: u64,
    pub(crate) finished: VecDeque<Finished>,
    /// What is to be said of runs that were stopped with the worker, unless the scheduler takes them
    /// back.
    pub(crate) stopped: Vec<AddTask>,
    pub(crate) mailbox: Receiver<Incoming>,
    pub(crate) pool: Pool,
    pub(crate) keep_alive_thread: Option<KeepAlive>,
    pub(crate) parallel_scheduling: Option<usize>,
    pub(crate) recovery: Recovery,
    _registrations: [Registration; 2],
}

impl Worker {
    /// A worker of `scheduler`.
    pub fn new(
        scheduler: Arc<dyn Scheduler>,
        config: WorkerConfig,
        options: WorkerOptions,
    ) -> Result<Self, WorkerError> {
        config.check()?;
        let host = identity::host_name();
        let mut info = identity::worker_info(options.processes, host.as_deref());
        let id = options
            .worker_id
            .filter(|id| !id.is_empty())
            .or_else(|| Some(config.id.clone()).filter(|id| !id.is_empty()))
            .unwrap_or_else(|| identity::worker_id(&info));
        if let Some(program) = options.program {
            info.push(("program".to_owned(), InfoValue::Text(program)));
        }
        let (mailbox, received) = channel();
        let keep_alive = config.keep_alive;
        let known_complete = config
            .cache_task_completion
            .then(|| Mutex::new(HashSet::new()));
        let shared = Arc::new(Shared {
            id,
            scheduler,
            config,
            assistant: options.assistant,
            processes: AtomicUsize::new(options.processes),
            loader: options.loader,
            events: options.events,
            observer: options.observer,
            notifier: options.notifier,
            stop: options.stop,
            gone: StopSignal::new(),
            child_command: options.child_command,
            engines: options.engines,
            kill_grace: options.kill_grace,
            routes: MessageRoutes::default(),
            mailbox,
            changes: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            known_complete,
            claims: Claims::default(),
            cancels: Cancels::default(),
            logs: OnceLock::new(),
        });
        let weak = Arc::downgrade(&shared);
        let wake = move || weak.upgrade().map(|shared| shared.wake()).is_some();
        let on_stop = wake.clone();
        let registration = shared.stop.register(Arc::new(move |_| {
            on_stop();
        }));
        let weak = Arc::downgrade(&shared);
        let farewell = shared.stop.register_farewell(Arc::new(move || {
            if let Some(shared) = weak.upgrade() {
                shared.give_back();
            }
        }));
        shared.scheduler.subscribe(&shared.id, Arc::new(wake));
        Ok(Self {
            info,
            host,
            first_task: None,
            tasks: TaskTable::default(),
            history: History::default(),
            announcements: Vec::new(),
            families: HashMap::new(),
            running: BTreeMap::new(),
            next_run: 0,
            batches: BTreeMap::new(),
            unfulfilled: HashMap::new(),
            add_succeeded: true,
            run_succeeded: true,
            stop_requesting_work: false,
            keep_alive,
            idle_since: None,
            seen_changes: 0,
            finished: VecDeque::new(),
            stopped: Vec::new(),
            mailbox: received,
            pool: Pool::new(Arc::clone(&shared)),
            keep_alive_thread: None,
            parallel_scheduling: options
                .parallel_scheduling
                .then_some(options.parallel_scheduling_processes),
            recovery: Recovery::default(),
            _registrations: [registration, farewell],
            shared,
        })
    }

    /// The worker's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// The signal that stops this worker.
    #[must_use]
    pub fn stop_signal(&self) -> StopSignal {
        self.shared.stop.clone()
    }

    /// How many tasks run at a time now; an operator can change it.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.shared.processes()
    }

    /// Whether the last [`add`](Self::add) went without errors.
    #[must_use]
    pub fn add_succeeded(&self) -> bool {
        self.add_succeeded
    }

    /// Whether every run so far ended well.
    #[must_use]
    pub fn run_succeeded(&self) -> bool {
        self.run_succeeded
    }

    /// The task of this id, if this worker planned or loaded it.
    #[must_use]
    pub fn task(&self, task_id: &str) -> Option<&TaskHandle> {
        Some(self.tasks.task(self.tasks.find(task_id)?))
    }

    /// Numbers of tasks by what became of them.
    #[must_use]
    pub fn counts(&self) -> TaskCounts {
        self.tasks.counts()
    }

    /// Luigi's execution summary of all that happened so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::new(&self.tasks, &self.history, &self.shared.id)
    }

    pub(crate) fn stop_level(&self) -> StopLevel {
        self.shared.stop.level()
    }

    /// Pings from another thread until [`stop_keep_alive`](Self::stop_keep_alive).
    pub(crate) fn start_keep_alive(&mut self) -> Result<(), WorkerError> {
        if self.keep_alive_thread.is_none() {
            self.keep_alive_thread = Some(KeepAlive::start(Arc::clone(&self.shared))?);
        }
        Ok(())
    }

    pub(crate) fn stop_keep_alive(&mut self) {
        if let Some(thread) = self.keep_alive_thread.take() {
            thread.stop();
        }
    }

    /// Notes for the summary what the scheduler is told. Luigi forgets a batch's members here.
    pub(crate) fn note(&mut self, index: TaskIndex, status: Status, runnable: Option<bool>) {
        self.history.push(index, status, runnable);
        self.note_phase(index, status);
        if self.batches.is_empty() {
            return;
        }
        for member in self.batches.remove(&index).unwrap_or_default() {
            self.history.push(member, status, Some(true));
            self.note_phase(member, status);
        }
    }

    fn note_phase(&mut self, index: TaskIndex, status: Status) {
        let before = self.tasks.entry(index).phase;
        let phase = match status {
            Status::Pending => Phase::Pending,
            Status::Running | Status::BatchRunning => Phase::Running,
            Status::Done if matches!(before, Phase::New | Phase::AlreadyDone) => Phase::AlreadyDone,
            Status::Done => Phase::Done,
            Status::Failed => Phase::Failed,
            Status::Disabled | Status::Unknown => Phase::Unschedulable,
        };
        self.tasks.set_phase(index, phase);
    }
}

impl Drop for Worker {
    /// As Luigi does, a worker that goes stops what it left running in other processes.
    fn drop(&mut self) {
        self.stop_keep_alive();
        self.shared.gone.raise(StopLevel::Now);
        self.take_leave(&Ok(()));
    }
}
