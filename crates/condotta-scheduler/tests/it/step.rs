//! Plays requests, and checks after each what has to hold.

use std::collections::BTreeMap;

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, Assignment, Config, GetWork, InfoValue, Now, Param,
    PendingCounts, Scheduler, Status, TaskView, Visibility,
};
use proptest::prelude::*;

use crate::{
    attempts::Attempts,
    kept::Kept,
    model::{Counts, Memory, Model, all_tasks},
    random::{Announce, Request, WORKERS, cases, requests},
};

/// A scheduler under test, with what is expected of it.
pub(crate) struct Play {
    pub(crate) scheduler: Scheduler,
    memory: Memory,
    secs: f64,
    /// The last batch and who runs it.
    batch: Option<(String, String)>,
    kept: Kept,
    attempts: Attempts,
    /// Whether the scheduler is restored when that is asked for.
    restarts: bool,
}

/// What a worker could hear now.
#[derive(Clone, Copy, Debug, Default)]
struct Prospect {
    gets_work: bool,
    /// Pending tasks at all, of it alone, and of it as the last.
    waits_for: [bool; 3],
}

fn task_id(number: usize) -> String {
    format!("F{}_{number}", number % 2)
}

fn worker_name(number: usize) -> String {
    format!("worker{number}")
}

fn params(task: usize) -> Vec<Param> {
    let values = [("date", task), ("region", task / 4)];
    let param = |(name, value): (&str, usize)| Param {
        name: name.to_owned(),
        value: value.to_string(),
        visibility: Visibility::Public,
    };
    values.map(param).into()
}

fn counts(reply: &PendingCounts) -> Counts {
    let mut running: Vec<String> = reply
        .running_tasks
        .iter()
        .map(|it| it.task_id.clone())
        .collect();
    running.sort();
    let (unique, last) = (reply.n_unique_pending, reply.n_pending_last_scheduled);
    (reply.n_pending_tasks, unique, last, running)
}

impl Play {
    pub(crate) fn new(restarts: bool) -> Self {
        let config = Config {
            retry_delay: 5.0,
            remove_delay: 30.0,
            worker_disconnect_delay: 20.0,
            retry_count: 3,
            disable_persist: 15.0,
            stable_done_cooldown_secs: 3.0,
            keep_events: true,
            keep_wakeups: true,
            keep_changes: true,
            record_task_history: true,
            ..Config::default()
        };
        let limits = BTreeMap::from([("r0".to_owned(), 2)]);
        Self {
            scheduler: Scheduler::new(config, limits.clone(), 0),
            memory: Memory {
                limits,
                ..Memory::default()
            },
            secs: 0.0,
            batch: None,
            kept: Kept::default(),
            attempts: Attempts::default(),
            restarts,
        }
    }

    fn now(&self) -> Now {
        Now::at(self.secs)
    }

    fn add(&mut self, request: AddTask) {
        let now = self.now();
        self.scheduler
            .add_task(now, request)
            .expect("it is a good request");
    }

    pub(crate) fn play(&mut self, pause: u8, request: &Request) {
        self.secs += f64::from(pause);
        let now = self.now();
        self.repeat_batchers();
        self.scheduler.take_wakeups();
        let before = self.prospects();
        self.request(now, request);
        // A scheduler that was just restored has woken nobody, since nobody waits for it.
        if !matches!(request, Request::Restart) {
            self.check_wakeups(&before);
        }
        self.attempts.follow(&mut self.scheduler);
        let scheduler = &self.scheduler;
        let known = |id: &String| scheduler.task(id).is_some();
        self.memory.runnable.retain(known);
        self.memory.batchable.retain(known);
        scheduler.check_invariants().expect("all indexes agree");
        crate::why_agrees::check(scheduler, &self.memory, self.now());
        self.kept.follow(&mut self.scheduler);
    }

    /// What each connected worker could hear now.
    fn prospects(&self) -> BTreeMap<String, Prospect> {
        let model = Model::of(&self.scheduler, &self.memory, self.now());
        let prospect = |worker: &String| {
            let gets_work = !model.work(worker, model.is_assistant(worker)).is_empty();
            let (pending, unique, last, _) = model.counts(worker);
            let waits_for = [pending > 0, unique > 0, last > 0];
            let prospect = Prospect {
                gets_work,
                waits_for,
            };
            (worker.clone(), prospect)
        };
        model.workers().map(prospect).collect()
    }

    /// Whoever could get a task at once, or has nothing to wait for any more, is woken.
    fn check_wakeups(&mut self, before: &BTreeMap<String, Prospect>) {
        let wakeups = self.scheduler.take_wakeups();
        for (worker, after) in self.prospects() {
            let before = before.get(&worker).copied().unwrap_or_default();
            let gets_work = after.gets_work && !before.gets_work;
            let may_go = (0..3).any(|kind| before.waits_for[kind] && !after.waits_for[kind]);
            let is_woken = wakeups.everybody || wakeups.workers.contains(&worker);
            assert!(
                is_woken || !(gets_work || may_go),
                "{worker} waits on: {before:?}, {after:?}"
            );
        }
    }

    fn request(&mut self, now: Now, request: &Request) {
        match request {
            Request::Announce(announce) => self.announce(announce),
            Request::Report {
                worker,
                task,
                status,
                new_dep,
                from_owner,
            } => self.report(*worker, *task, *status, *new_dep, *from_owner),
            Request::Claim { worker, task } => self.claim(&worker_name(*worker), *task),
            Request::Combined { task } => self.combined(*task),
            Request::GetWork {
                worker,
                assistant,
                current,
            } => self.get_work(*worker, *assistant, current.as_deref()),
            Request::Batcher { worker, max } => self.batcher(*worker, *max),
            Request::Processes { worker, n } => {
                let info = vec![("workers".to_owned(), InfoValue::Int(*n))];
                let worker = worker_name(*worker);
                self.scheduler
                    .add_worker(now, AddWorker { worker, info })
                    .unwrap();
            }
            Request::Ping(worker) => drop(self.scheduler.ping(now, &worker_name(*worker)).unwrap()),
            Request::DisableWorker(worker) => {
                self.scheduler
                    .disable_worker(now, &worker_name(*worker))
                    .unwrap();
            }
            Request::DisableTask(task) => {
                self.scheduler.disable_task(now, &task_id(*task)).unwrap();
            }
            Request::Release(worker) => self.release(&worker_name(*worker)),
            Request::Forgive(task) => {
                self.scheduler
                    .forgive_failures(now, &task_id(*task))
                    .unwrap();
            }
            Request::MarkDone(task) => {
                self.scheduler.mark_as_done(now, &task_id(*task)).unwrap();
            }
            Request::ReEnable(task) => {
                self.scheduler.re_enable_task(now, &task_id(*task)).unwrap();
            }
            Request::Decrease(task) => {
                let decrease = BTreeMap::from([("r0".to_owned(), 1)]);
                let id = task_id(*task);
                self.scheduler
                    .decrease_running_task_resources(now, &id, decrease)
                    .unwrap();
            }
            Request::Limit { resource, limit } => {
                let name = format!("r{resource}");
                self.scheduler.update_resource(now, &name, *limit).unwrap();
                self.memory.limits.insert(name, *limit);
            }
            Request::Pause(true) => self.scheduler.pause(now).unwrap(),
            Request::Pause(false) => self.scheduler.unpause(now).unwrap(),
            Request::Prune => self.scheduler.handle_timeout(now),
            Request::Say { worker, task, what } => {
                self.say(&worker_name(*worker), &task_id(*task), *what);
            }
            Request::Restart => self.restart(),
            Request::Refused(kind) => self.refused(*kind),
        }
    }

    fn say(&mut self, worker: &str, task: &str, what: usize) {
        let (now, scheduler) = (self.now(), &mut self.scheduler);
        let answer = match what {
            0 => scheduler.set_task_status_message(now, task, Some(worker.to_owned())),
            1 => scheduler.set_task_progress_percentage(now, task, Some(now.wall.0)),
            2 => scheduler.add_scheduler_message_response(now, task, "m", worker.to_owned()),
            3 => scheduler
                .get_scheduler_message_response(now, task, "m")
                .map(drop),
            4 => scheduler.set_worker_processes(now, worker, 2),
            _ => scheduler
                .send_scheduler_message(now, worker, task, "hello".to_owned())
                .map(drop),
        };
        answer.unwrap();
    }

    /// Brings all known workers into a state that a restored scheduler has too, and restores it.
    fn restart(&mut self) {
        let now = self.now();
        for worker in (0..WORKERS).map(worker_name) {
            self.scheduler.ping(now, &worker).unwrap();
        }
        self.kept.follow(&mut self.scheduler);
        if self.restarts {
            self.kept.restart(&mut self.scheduler, now);
        }
        // Who asked of late is not kept. Paused, everybody asks and gets nothing.
        let paused = self.scheduler.is_paused();
        self.scheduler.pause(now).unwrap();
        for worker in (0..WORKERS).map(worker_name) {
            let request = GetWork {
                worker: worker.clone(),
                ..GetWork::default()
            };
            self.scheduler.get_work(now, request).unwrap();
            self.memory.asked.insert(worker, self.secs);
        }
        if !paused {
            self.scheduler.unpause(now).unwrap();
        }
    }

    fn announce(&mut self, announce: &Announce) {
        let id = task_id(announce.task);
        let worker = worker_name(announce.worker);
        let before = self.scheduler.task(&id);
        let mut request = AddTask::new(&worker, &id);
        request.status = announce.status;
        request.runnable = Some(announce.runnable);
        request.family = format!("F{}", announce.task % 2);
        request.params = Some(params(announce.task));
        request.priority = f64::from(announce.priority);
        request.assistant = announce.assistant;
        request.batchable = Some(true);
        request.retry_policy.retry_count = announce.retry_count;
        // Tasks of equal age have no order in Luigi, so a request mentions one new one at most.
        let mut new = 1 - usize::from(before.is_none());
        request.deps = announce.deps.as_ref().map(|deps| {
            let ids = deps.iter().map(|&dep| task_id(dep));
            let allowed = ids.filter(|dep| {
                let known = *dep == id || self.scheduler.task(dep).is_some();
                known || core::mem::take(&mut new) > 0
            });
            allowed.collect()
        });
        let need = announce
            .resource
            .map(|(name, amount)| (format!("r{name}"), amount));
        request.resources = Some(need.into_iter().collect());
        self.add(request);
        let after = self.scheduler.task(&id);
        let untouched = before == after || after.is_none();
        let now = self.now();
        let disabled = Model::of(&self.scheduler, &self.memory, now).is_disabled(&worker);
        if !untouched && after.is_some() {
            self.memory.batchable.insert(id.clone());
        }
        let cools = before.is_some_and(|it| {
            it.status == Status::Done
                && announce.status == Status::Pending
                && self.secs - it.last_updated.0 < 3.0
        });
        let joins = announce.runnable && announce.status != Status::Failed && !disabled && !cools;
        if joins && after.is_some_and(|it| it.workers.contains(&worker)) {
            self.memory.runnable.insert(id);
        }
    }

    fn report(&mut self, by: usize, task: usize, status: Status, dep: Option<usize>, owner: bool) {
        let id = task_id(task);
        let Some(before) = self.scheduler.task(&id) else {
            return;
        };
        let runs_for = before
            .worker_running
            .clone()
            .unwrap_or_else(|| worker_name(by));
        let worker = if owner { runs_for } else { worker_name(by) };
        let mut report = AddTask::new(&worker, &id);
        report.status = status;
        report.runnable = None;
        report.resources = Some(before.resources.clone());
        report.expl = Some(format!("\"said by {worker}\""));
        report.batchable = None;
        report.new_deps = Some(dep.map(task_id).into_iter().collect());
        self.add(report);
        let after = self.scheduler.task(&id).expect("a report removes nothing");
        let stranger = before.worker_running.as_deref() != Some(&*worker);
        let runs = matches!(before.status, Status::Running | Status::BatchRunning);
        if runs && stranger {
            // The worker may be one that came back by this contact, which shows in the views.
            let fixed = |task: &condotta_scheduler::TaskView| {
                (
                    task.status,
                    task.deps.clone(),
                    task.worker_running.clone(),
                    task.last_updated,
                )
            };
            assert_eq!(
                fixed(&before),
                fixed(&after),
                "{id}: a report by who does not run it"
            );
        }
        if before.status == Status::Done {
            assert_eq!(
                after.status,
                Status::Done,
                "{id}: a report undid what is done"
            );
            assert_eq!(before.deps, after.deps, "{id}: a report on what is done");
        }
    }

    fn claim(&mut self, worker: &str, task: usize) {
        let id = task_id(task);
        let before = self.scheduler.task(&id);
        let mut claim = AddTask::new(worker, &id);
        claim.status = Status::Running;
        claim.runnable = None;
        claim.batchable = None;
        self.add(claim);
        if let Some(before) = before.filter(|it| it.status == Status::Running) {
            let after = self.scheduler.task(&id).expect("a claim removes nothing");
            assert_eq!(
                before.worker_running, after.worker_running,
                "{id}: one owner"
            );
        }
    }

    fn combined(&mut self, task: usize) {
        let Some((batch_id, worker)) = self.batch.take() else {
            return;
        };
        let mut combined = AddTask::new(&worker, &format!("combined_{task}"));
        combined.status = Status::Running;
        combined.runnable = None;
        combined.batch_id = Some(batch_id);
        // The members may be gone: then it is refused.
        let now = self.now();
        let before = all_tasks(&self.scheduler);
        if self.scheduler.add_task(now, combined).is_err() {
            assert_eq!(
                before,
                all_tasks(&self.scheduler),
                "refused, and changed something"
            );
        }
    }

    fn get_work(&mut self, worker: usize, assistant: bool, current: Option<&[usize]>) {
        let worker = worker_name(worker);
        let now = self.now();
        // So that the views show the worker where it belongs before it asks.
        self.scheduler.ping(now, &worker).unwrap();
        let current: Option<Vec<String>> =
            current.map(|it| it.iter().map(|&task| task_id(task)).collect());
        let model = Model::of(&self.scheduler, &self.memory, now);
        let lost = current
            .as_ref()
            .and_then(|current| model.lost(&worker, current));
        let orphans = model
            .tasks
            .values()
            .any(|it| it.status == Status::BatchRunning);
        let compare = current.is_none() || !orphans;
        let lost = lost.filter(|_| !model.is_disabled(&worker));
        let expected = match &lost {
            Some(lost) => vec![lost.clone()],
            None => model.work(&worker, assistant),
        };
        let expected_counts = model.counts(&worker);
        let request = GetWork {
            worker: worker.clone(),
            host: None,
            assistant,
            current_tasks: current,
        };
        let before = model.tasks;
        let work = self.scheduler.get_work(now, request).unwrap();
        self.memory.asked.insert(worker.clone(), self.secs);
        let got = match work.assignment {
            Assignment::Nothing => Vec::new(),
            Assignment::Task { task_id, .. } => vec![task_id],
            Assignment::Batch {
                batch_id, task_ids, ..
            } => {
                self.batch = Some((batch_id, worker.clone()));
                task_ids
            }
        };
        if compare {
            assert_eq!(got, expected, "what {worker} gets");
            assert_eq!(
                counts(&work.counts),
                expected_counts,
                "what {worker} has to do"
            );
        }
        if lost.is_none() && compare {
            for id in &got {
                let task = &before[id];
                assert_eq!(task.status, Status::Pending, "{id} was handed out");
                let done =
                    |dep: &String| before.get(dep).is_some_and(|it| it.status == Status::Done);
                assert!(task.deps.iter().all(done), "{id} was handed out");
            }
            self.check_limits(&got);
        }
    }

    /// What was just handed out keeps within the limits, together with all that runs.
    fn check_limits(&self, handed_out: &[String]) {
        let [id] = handed_out else {
            return;
        };
        let task = self.scheduler.task(id).expect("it was just handed out");
        for resource in self.scheduler.resource_list() {
            if task.resources.contains_key(&resource.name) {
                assert!(
                    resource.num_used <= resource.num_total,
                    "{} is overdrawn",
                    resource.name
                );
            }
        }
    }

    /// Workers that were lost may have been forgotten, and their batchers with them: they are said
    /// again before such a worker comes back.
    fn repeat_batchers(&mut self) {
        let workers = self.scheduler.worker_list(false);
        for ((worker, family), (args, max_batch_size)) in self.memory.batchers.clone() {
            if workers.iter().all(|known| known.name != worker) {
                let batcher = AddTaskBatcher {
                    worker,
                    task_family: family,
                    batched_args: args,
                    max_batch_size,
                };
                self.scheduler
                    .add_task_batcher(self.now(), batcher)
                    .unwrap();
            }
        }
    }

    fn release(&mut self, worker: &str) {
        let before = all_tasks(&self.scheduler);
        let now = self.now();
        self.scheduler.release_worker(now, worker);
        let after = all_tasks(&self.scheduler);
        let runs = |task: &&TaskView| {
            matches!(task.status, Status::Running | Status::BatchRunning)
                && task.worker_running.as_deref() == Some(worker)
        };
        assert_eq!(after.values().find(runs), None, "{worker} is gone");
        for (id, before) in before.iter().filter(|(_, task)| runs(task)) {
            match after.get(id) {
                // Somebody may have found it complete meanwhile.
                Some(after) => {
                    let is_over = matches!(after.status, Status::Pending | Status::Done);
                    assert!(is_over, "{id}: {after:?}");
                }
                None => assert!(id.starts_with("combined"), "{id} is lost: {before:?}"),
            }
        }
        let workers = self.scheduler.worker_list(false);
        assert!(workers.iter().all(|known| known.name != worker));
    }

    fn batcher(&mut self, worker: usize, max_batch_size: Option<u64>) {
        let now = self.now();
        let worker = worker_name(worker);
        // The batcher of a worker that is forgotten goes with it, so it is one that is there.
        self.scheduler.ping(now, &worker).unwrap();
        let batcher = AddTaskBatcher {
            worker: worker.clone(),
            task_family: "F0".to_owned(),
            batched_args: vec!["date".to_owned()],
            max_batch_size,
        };
        self.scheduler.add_task_batcher(now, batcher).unwrap();
        let batcher = (vec!["date".to_owned()], max_batch_size);
        self.memory
            .batchers
            .insert((worker, "F0".to_owned()), batcher);
    }

    fn refused(&mut self, kind: usize) {
        let mut request = AddTask::new("stranger", "new");
        match kind {
            0 => request.priority = f64::NAN,
            1 => request.task_id.clear(),
            2 => request.worker.clear(),
            3 => request.deps = Some(vec![String::new()]),
            _ => {
                request.status = Status::Running;
                request.batch_id = Some("no such batch".to_owned());
            }
        }
        let workers = self.scheduler.worker_list(true);
        let tasks = all_tasks(&self.scheduler);
        let now = self.now();
        assert!(self.scheduler.add_task(now, request).is_err());
        assert_eq!(workers, self.scheduler.worker_list(true));
        assert_eq!(tasks, all_tasks(&self.scheduler));
    }
}

/// Lets everybody fall silent, after which nothing may be left.
fn end(play: &mut Play) {
    for _ in 0..6 {
        play.play(100, &Request::Prune);
    }
    let left = all_tasks(&play.scheduler);
    assert!(
        left.is_empty(),
        "tasks that nobody has a stake in stay: {left:?}"
    );
    assert_eq!(play.scheduler.worker_list(false), []);
    let (timeout, now) = (play.scheduler.poll_timeout(), play.now());
    assert!(
        timeout.is_none_or(|it| it > now.monotonic),
        "something is due for ever"
    );
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_list_of_requests_keeps_the_invariants(requests in requests()) {
        let mut play = Play::new(true);
        for (pause, request) in &requests {
            play.play(*pause, request);
        }
        end(&mut play);
    }
}
