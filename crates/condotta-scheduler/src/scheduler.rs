//! The scheduler's state, and the requests that touch little of it.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    AddTaskBatcher, AddWorker, Config, Event, Now, Refusal, Resources, SchedulingFailure,
    Timestamp, WorkerMessage,
    batch::{Batcher, Batches},
    changes::{Changes, part},
    config::Policy,
    dead_end::Cycle,
    names::{Name, Names},
    pool::Pool,
    prune::Timer,
    queue::Queues,
    resource::{Limits, Needs, Resource, Taken},
    task::{Rank, Slot},
    tasks::Tasks,
    wakeup::Noted,
    worker::{Worker, WorkerIndex, Workers},
};

/// The longest id or name, in bytes. Luigi's own ids stay far below.
const LONGEST_NAME: usize = 65_536;
/// The longest text of any other kind, in bytes.
const LONGEST_TEXT: usize = 64 << 20;
/// How many characters of a status message are told in events.
const TOLD_CHARS: usize = 1000;

/// What the scheduler answers to a request that it may refuse.
pub type Answer<T> = Result<T, Refusal>;

pub(crate) fn check_name(what: &'static str, name: &str) -> Answer<()> {
    if name.is_empty() {
        return Err(Refusal::Empty { what });
    }
    check(what, name, LONGEST_NAME)
}

pub(crate) fn check_length(what: &'static str, text: &str) -> Answer<()> {
    check(what, text, LONGEST_TEXT)
}

fn check(what: &'static str, text: &str, limit: usize) -> Answer<()> {
    let length = text.len();
    if length > limit {
        return Err(Refusal::TooLong {
            what,
            length,
            limit,
        });
    }
    Ok(())
}

/// The scheduler. See the crate's documentation for the kinds of its methods.
pub struct Scheduler {
    pub(crate) config: Config,
    pub(crate) names: Names,
    pub(crate) needs: Needs,
    pub(crate) limits: Limits,
    pub(crate) tasks: Tasks,
    pub(crate) workers: Workers,
    pub(crate) queues: Queues,
    pub(crate) batches: Batches,
    pub(crate) policies: Pool<Policy>,
    /// What RUNNING tasks take.
    pub(crate) taken: Taken,
    /// RUNNING tasks in rank order.
    pub(crate) running: BTreeSet<Rank>,
    /// Running tasks whose worker has no stake in them; it may be an assistant, or gone.
    pub(crate) foreign: BTreeSet<Slot>,
    /// Tasks in which nobody has a stake, to be marked for removal by the next prune.
    pub(crate) orphans: BTreeSet<Slot>,
    /// Tasks whose dependencies or needs changed since dead ends were looked for.
    pub(crate) suspects: BTreeSet<Slot>,
    /// Dead ends that were told.
    pub(crate) dead_ends: BTreeMap<Slot, crate::DeadEnd>,
    /// The cycles among them.
    pub(crate) cycles: Vec<Cycle>,
    /// The missing dependencies among them.
    pub(crate) missing: BTreeSet<Slot>,
    pub(crate) timers: BTreeSet<(Timestamp, Timer)>,
    /// Resources whose limits changed since dead ends were looked for.
    pub(crate) changed_limits: BTreeSet<Resource>,
    /// When it was last looked what is due (monotonic).
    pub(crate) looked_at: Option<crate::Timestamp>,
    pub(crate) paused: bool,
    /// What is to be told by the next `take_changes`.
    pub(crate) changes: Changes,
    events: VecDeque<Event>,
    /// Why runs end just now, when that is not what their status says.
    pub(crate) end: Option<crate::AttemptEnd>,
    pub(crate) noted: Noted,
    random: u64,
}

impl Scheduler {
    /// An empty scheduler with these limits of resources. Message ids follow from `seed`.
    #[must_use]
    pub fn new(config: Config, limits: BTreeMap<String, u64>, seed: u64) -> Self {
        let mut needs = Needs::new();
        let limits = Limits::new(&mut needs, limits);
        let mut policies = Pool::new();
        let policy = config.retry_policy(&crate::RetryPolicy::default());
        policies.acquire(&policy, || policy);
        Self {
            policies,
            config,
            names: Names::new(),
            needs,
            limits,
            tasks: Tasks::new(),
            workers: Workers::new(),
            queues: Queues::default(),
            batches: Batches::default(),
            taken: Taken::default(),
            running: BTreeSet::new(),
            foreign: BTreeSet::new(),
            orphans: BTreeSet::new(),
            suspects: BTreeSet::new(),
            dead_ends: BTreeMap::new(),
            cycles: Vec::new(),
            missing: BTreeSet::new(),
            timers: BTreeSet::new(),
            changed_limits: BTreeSet::new(),
            looked_at: None,
            paused: false,
            changes: Changes::default(),
            events: VecDeque::new(),
            end: None,
            noted: Noted::default(),
            random: seed,
        }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many tasks there are.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// How many tasks have this status.
    #[must_use]
    pub fn task_count_of(&self, status: crate::Status) -> usize {
        self.tasks.count(status)
    }

    /// Says what kind of worker this is. Does not count as contact, as in Luigi, but for the first.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the worker's id is none. Nothing has changed then.
    pub fn add_worker(&mut self, now: Now, request: AddWorker) -> Answer<()> {
        let worker = self.worker(now, &request.worker)?;
        self.come_back(worker);
        if self.workers[worker].add_info(request.info) {
            self.worker_changed(worker);
            self.note_contention();
            self.note_worker(worker);
        }
        Ok(())
    }

    /// Says which tasks of a family may run together when this worker runs them.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the worker or the family has no name. Nothing has changed then.
    pub fn add_task_batcher(&mut self, _now: Now, request: AddTaskBatcher) -> Answer<()> {
        check_name("the worker id", &request.worker)?;
        check_name("the task family", &request.task_family)?;
        let family = self.names.intern(&request.task_family);
        let args: Vec<Name> = request
            .batched_args
            .iter()
            .map(|arg| self.names.intern(arg))
            .collect();
        let batcher = Batcher {
            args: args.clone().into(),
            max_size: request.max_batch_size,
        };
        if self.batches.batcher(&request.worker, family) != Some(&batcher) {
            self.batcher_changed(&request.worker, family);
        }
        for rank in self.batches.set(&request.worker, family, batcher) {
            self.batches
                .insert_alike(&self.tasks[rank.slot], &args, rank);
        }
        Ok(())
    }

    /// The worker lives; its messages.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the worker's id is none. Nothing has changed then.
    pub fn ping(&mut self, now: Now, worker: &str) -> Answer<Vec<WorkerMessage>> {
        let worker = self.contact(now, worker)?;
        let messages = core::mem::take(&mut self.workers[worker].messages);
        if !messages.is_empty() {
            self.worker_changed(worker);
        }
        Ok(messages)
    }

    /// Tells whoever hears of events that a task could not be scheduled.
    pub fn announce_scheduling_failure(
        &mut self,
        now: Now,
        failure: SchedulingFailure,
    ) -> Answer<()> {
        check_name("the worker id", &failure.worker)?;
        self.emit(|_| Event::SchedulingFailure {
            at: now.wall,
            failure,
        });
        Ok(())
    }

    /// Shows what a run says. Batch members show what their combined task says.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the message is longer than is kept. Nothing has changed then.
    pub fn set_task_status_message(
        &mut self,
        now: Now,
        task_id: &str,
        message: Option<String>,
    ) -> Answer<()> {
        check_length("the status message", message.as_deref().unwrap_or_default())?;
        for slot in self.with_batch(task_id) {
            let kept = &mut self.tasks[slot].rare_mut().status_message;
            if *kept != message.as_deref().map(Into::into) {
                *kept = message.as_deref().map(Into::into);
                self.changed(slot, part::STATE);
                self.emit_progress(now, slot);
            }
        }
        Ok(())
    }

    /// Shows how far a run is, in percent.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when that is no number. Nothing has changed then.
    pub fn set_task_progress_percentage(
        &mut self,
        now: Now,
        task_id: &str,
        percentage: Option<f64>,
    ) -> Answer<()> {
        if let Some(value) = percentage.filter(|value| !value.is_finite()) {
            return Err(Refusal::NotFinite {
                what: "the progress percentage",
                value,
            });
        }
        for slot in self.with_batch(task_id) {
            let kept = &mut self.tasks[slot].rare_mut().progress_percentage;
            if *kept != percentage {
                *kept = percentage;
                self.changed(slot, part::STATE);
                self.emit_progress(now, slot);
            }
        }
        Ok(())
    }

    fn emit_progress(&mut self, now: Now, slot: Slot) {
        self.emit(|scheduler| {
            let task = &scheduler.tasks[slot];
            let rare = task.rare.as_deref();
            let message = rare.and_then(|rare| rare.status_message.as_deref());
            Event::Progress {
                at: now.wall,
                task_id: task.id.to_string(),
                percentage: rare.and_then(|rare| rare.progress_percentage),
                message: message.map(|text| text.chars().take(TOLD_CHARS).collect()),
            }
        });
    }

    /// A running task gives back a part of what it takes.
    ///
    /// # Errors
    ///
    /// None so far.
    pub fn decrease_running_task_resources(
        &mut self,
        _now: Now,
        task_id: &str,
        decrease: Resources,
    ) -> Answer<()> {
        let slots = self.with_batch(task_id);
        let is_running = |&slot: &Slot| self.tasks[slot].status == crate::Status::Running;
        if !slots.first().is_some_and(is_running) {
            return Ok(());
        }
        for slot in slots {
            let mut amounts = self.needs.amounts(self.tasks[slot].running_need()).to_vec();
            for (name, amount) in &mut amounts {
                let less = decrease.get(self.needs.name(*name)).copied().unwrap_or(0);
                *amount = amount.saturating_sub(less);
            }
            let need = self.needs.acquire_amounts(&amounts);
            if self.tasks[slot].need_running != Some(need) {
                self.edit_run(slot, need, |_| {});
            }
            self.needs.release(need);
        }
        Ok(())
    }

    /// The task and, when it is a running combined task, the members of its batch.
    fn with_batch(&self, task_id: &str) -> Vec<Slot> {
        let Some(slot) = self.tasks.find_task(task_id) else {
            return Vec::new();
        };
        let mut slots = alloc::vec![slot];
        let task = &self.tasks[slot];
        if task.status == crate::Status::Running
            && let Some(batch_id) = task.batch_id()
        {
            slots.extend(self.batches.members(batch_id));
        }
        slots
    }

    /// Keeps the answer of a task to a message.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the answer is longer than is kept. Nothing has changed then.
    pub fn add_scheduler_message_response(
        &mut self,
        _now: Now,
        task_id: &str,
        message_id: &str,
        response: String,
    ) -> Answer<()> {
        check_length("the response", &response)?;
        if let Some(slot) = self.tasks.find_task(task_id) {
            let responses = &mut self.tasks[slot].rare_mut().responses;
            responses.insert(message_id.to_string(), response);
            self.changed(slot, part::STATE);
        }
        Ok(())
    }

    /// A task's own measurements, for metrics.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when they are longer than is kept. Nothing has changed then.
    pub fn report_task_statistics(
        &mut self,
        now: Now,
        task_id: &str,
        statistics: String,
    ) -> Answer<()> {
        check_length("the statistics", &statistics)?;
        if self.tasks.find_task(task_id).is_some() {
            self.emit(|_| Event::Statistics {
                at: now.wall,
                task_id: task_id.to_string(),
                statistics,
            });
        }
        Ok(())
    }

    /// The next thing that happened, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn emit(&mut self, event: impl FnOnce(&Self) -> Event) {
        if self.config.keep_events {
            let event = event(self);
            self.events.push_back(event);
        }
    }

    /// The record of a worker, made when it is mentioned for the first time. One that was forgotten
    /// counts as never mentioned, whether or not a task still names it.
    pub(crate) fn worker(&mut self, now: Now, id: &str) -> Answer<WorkerIndex> {
        let known = self.workers.find(id);
        if let Some(worker) = known.filter(|&worker| !self.workers[worker].forgotten) {
            return Ok(worker);
        }
        check_name("the worker id", id)?;
        let new = Worker::new(id, self.workers.take_serial(), now);
        let worker = match known {
            Some(worker) => {
                self.workers.replace_forgotten(worker, new);
                worker
            }
            None => self.workers.insert(new),
        };
        self.watch(worker);
        self.worker_changed(worker);
        self.emit(|_| Event::WorkerAttached {
            at: now.wall,
            worker: id.to_string(),
        });
        Ok(worker)
    }

    /// The worker itself speaks: it lives, and has its place again at what it announced.
    pub(crate) fn contact(&mut self, now: Now, id: &str) -> Answer<WorkerIndex> {
        let index = self.worker(now, id)?;
        let worker = &mut self.workers[index];
        worker.last_active = now.monotonic;
        worker.last_active_wall = now.wall;
        if !worker.connected {
            self.reattach(now, index);
        }
        Ok(index)
    }

    /// A number that looks random and follows from the seed (SplitMix64, Steele et al. 2014).
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
