//! What holds a task up is compared with what workers would really get, after each random request.

use condotta_scheduler::{DisabledBy, Hold, Now, Scheduler, Status, Why};

use crate::model::{Memory, Model};

/// A task is called next for exactly those workers that would be given it, and what is said to hold
/// up any other one is so.
pub(crate) fn check(scheduler: &Scheduler, memory: &Memory, now: Now) {
    let model = Model::of(scheduler, memory, now);
    let workers: Vec<&String> = model.workers().collect();
    let gets: Vec<(&String, Vec<String>)> = workers
        .into_iter()
        .map(|worker| (worker, model.work(worker, model.is_assistant(worker))))
        .collect();
    for id in model.tasks.keys() {
        let why = scheduler.why(now, id).expect("it is known");
        let getters = gets.iter().filter(|(_, work)| work.contains(id));
        let mut getters: Vec<&str> = getters.map(|(worker, _)| worker.as_str()).collect();
        getters.sort_unstable();
        let mut next_for: Vec<&str> = match &why.hold {
            Hold::Ready { workers } => workers.iter().map(|it| it.worker.as_str()).collect(),
            _ => Vec::new(),
        };
        next_for.sort_unstable();
        assert_eq!(next_for, getters, "{id}: {why:?}");
        check_hold(&model, id, &why, scheduler.is_paused());
    }
}

fn check_hold(model: &Model<'_>, id: &str, why: &Why, paused: bool) {
    let task = &model.tasks[id];
    assert_eq!(why.status, Some(task.status), "{id}");
    let is_right = match &why.hold {
        Hold::Done { .. } => task.status == Status::Done,
        Hold::Running(run) => {
            let runs = matches!(task.status, Status::Running | Status::BatchRunning);
            runs && run.worker == task.worker_running
        }
        Hold::Failed(_) => task.status == Status::Failed,
        Hold::Disabled(disabled) => {
            task.status == Status::Disabled
                && task.re_enable_able == Some(disabled.by != DisabledBy::Worker)
        }
        Hold::NotAnnounced { .. } | Hold::Unknown { .. } => task.status == Status::Unknown,
        Hold::Dependencies(waiting) => {
            let causes = &waiting.causes;
            let follows = |path: &[condotta_scheduler::TaskName]| {
                let first = path
                    .first()
                    .is_some_and(|first| task.deps.contains(&first.task_id));
                let links = path.windows(2).all(|pair| {
                    model.tasks[&pair[0].task_id]
                        .deps
                        .contains(&pair[1].task_id)
                });
                first && links
            };
            task.status == Status::Pending
                && !model.schedulable(task)
                && waiting.is_exact
                && !causes.is_empty()
                && causes.iter().all(|cause| follows(&cause.path.tasks))
        }
        Hold::Cycle { path } => {
            let ends = path.tasks.first().zip(path.tasks.last());
            task.status == Status::Pending && ends.is_some_and(|(first, last)| first == last)
        }
        Hold::Paused => paused && model.schedulable(task),
        Hold::NoWorker(_) => model.schedulable(task) && task.workers.is_empty(),
        Hold::NeedAboveLimit { .. } => task.status == Status::Pending,
        Hold::Resources { lacking } => model.schedulable(task) && !lacking.is_empty(),
        Hold::Reserved {
            resources,
            kept_for,
        } => {
            let rank = |id: &str| model.tasks[id].priority;
            model.schedulable(task)
                && !resources.is_empty()
                && kept_for
                    .iter()
                    .all(|kept| rank(&kept.task_id) >= task.priority)
        }
        Hold::Behind { ahead, .. } => model.schedulable(task) && *ahead > 0,
        Hold::Ready { .. } => model.schedulable(task),
    };
    assert!(is_right, "{id}: {why:?} of {task:?}");
}
