//! Random requests, few enough names that they meet.

use condotta_scheduler::Status;
use proptest::{collection::vec, option, prelude::*};

/// A request, with small numbers for names.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Announce(Announce),
    /// A report by the worker that runs the task, or by another one.
    Report {
        worker: usize,
        task: usize,
        status: Status,
        new_dep: Option<usize>,
        from_owner: bool,
    },
    Claim {
        worker: usize,
        task: usize,
    },
    /// The combined task of the last batch.
    Combined {
        task: usize,
    },
    GetWork {
        worker: usize,
        assistant: bool,
        current: Option<Vec<usize>>,
    },
    Batcher {
        worker: usize,
        max: Option<u64>,
    },
    Processes {
        worker: usize,
        n: i64,
    },
    Ping(usize),
    DisableWorker(usize),
    DisableTask(usize),
    Release(usize),
    Forgive(usize),
    MarkDone(usize),
    ReEnable(usize),
    Decrease(usize),
    Limit {
        resource: usize,
        limit: u64,
    },
    Pause(bool),
    Prune,
    /// One of the things that a run or an operator says beside the status.
    Say {
        worker: usize,
        task: usize,
        what: usize,
    },
    /// The scheduler is restored from what it kept.
    Restart,
    Refused(usize),
}

/// What a planning worker says of a task.
#[derive(Clone, Debug)]
pub(crate) struct Announce {
    pub(crate) worker: usize,
    pub(crate) task: usize,
    pub(crate) status: Status,
    pub(crate) deps: Option<Vec<usize>>,
    pub(crate) priority: i8,
    pub(crate) resource: Option<(usize, u64)>,
    pub(crate) assistant: bool,
    pub(crate) runnable: bool,
    pub(crate) retry_count: Option<u64>,
}

pub(crate) const TASKS: usize = 8;
pub(crate) const WORKERS: usize = 4;

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        8 => Just(Status::Pending),
        2 => Just(Status::Done),
        1 => Just(Status::Unknown),
        1 => Just(Status::Disabled),
        1 => Just(Status::Failed),
    ]
}

fn announce() -> impl Strategy<Value = Announce> {
    let deps = option::weighted(0.6, vec(0..TASKS, 0..3));
    let resource = option::weighted(0.3, (0..2usize, 0..3u64));
    (
        (0..WORKERS, 0..TASKS, status(), deps, -1..3i8),
        (
            resource,
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.9),
            option::weighted(0.2, 1..3u64),
        ),
    )
        .prop_map(|((worker, task, status, deps, priority), rest)| {
            let (resource, assistant, runnable, retry_count) = rest;
            Announce {
                worker,
                task,
                status,
                deps,
                priority,
                resource,
                assistant,
                runnable,
                retry_count,
            }
        })
}

fn request() -> impl Strategy<Value = Request> {
    let ends = prop_oneof![
        4 => Just(Status::Done),
        3 => Just(Status::Failed),
        1 => Just(Status::Pending),
    ];
    let report = (
        0..WORKERS,
        0..TASKS,
        ends,
        option::weighted(0.3, 0..TASKS),
        prop::bool::weighted(0.7),
    );
    let get_work = (
        0..WORKERS,
        prop::bool::weighted(0.15),
        option::weighted(0.3, vec(0..TASKS, 0..3)),
    );
    prop_oneof![
        12 => announce().prop_map(Request::Announce),
        8 => report.prop_map(|(worker, task, status, new_dep, from_owner)| Request::Report {
            worker, task, status, new_dep, from_owner
        }),
        8 => get_work.prop_map(|(worker, assistant, current)| Request::GetWork {
            worker, assistant, current
        }),
        1 => (0..WORKERS, 0..TASKS).prop_map(|(worker, task)| Request::Claim { worker, task }),
        2 => (0..TASKS).prop_map(|task| Request::Combined { task }),
        2 => (0..WORKERS, option::of(0..4u64)).prop_map(|(worker, max)| Request::Batcher { worker, max }),
        1 => (0..WORKERS, 0..3i64).prop_map(|(worker, n)| Request::Processes { worker, n }),
        2 => (0..WORKERS).prop_map(Request::Ping),
        1 => (WORKERS - 1..WORKERS).prop_map(Request::DisableWorker),
        1 => (0..TASKS).prop_map(Request::DisableTask),
        1 => (0..WORKERS).prop_map(Request::Release),
        1 => (0..TASKS).prop_map(Request::Forgive),
        1 => (0..TASKS).prop_map(Request::MarkDone),
        1 => (0..TASKS).prop_map(Request::ReEnable),
        1 => (0..TASKS).prop_map(Request::Decrease),
        1 => (0..2usize, 0..4u64).prop_map(|(resource, limit)| Request::Limit { resource, limit }),
        1 => prop::bool::weighted(0.3).prop_map(Request::Pause),
        4 => Just(Request::Prune),
        2 => (0..WORKERS, 0..TASKS, 0..6usize).prop_map(|(worker, task, what)| Request::Say {
            worker, task, what
        }),
        1 => Just(Request::Restart),
        1 => (0..5usize).prop_map(Request::Refused),
    ]
}

/// Requests, each with the seconds since the one before.
pub(crate) fn requests() -> impl Strategy<Value = Vec<(u8, Request)>> {
    let pause = prop_oneof![6 => 1..3u8, 1 => 10..40u8];
    vec((pause, request()), 1..120)
}

/// So many lists of requests, or as many as are asked for.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: asked.and_then(|it| it.parse().ok()).unwrap_or(usual),
        failure_persistence: None,
        // The same lists each time, so that a change fails for what it did. Others are tried with
        // PROPTEST_CASES=5000, which goes further along the same row.
        rng_seed: proptest::test_runner::RngSeed::Fixed(2026),
        ..ProptestConfig::default()
    }
}
