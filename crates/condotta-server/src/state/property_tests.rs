//! Any records come back as they were, and bytes that are no transaction are never taken for one.

use std::{collections::BTreeMap, ops::Range};

use condotta_scheduler::{
    BatcherRecord, CancelAsk, InfoValue, Now, Param, Record, RetryPolicy, Status, TaskIdentity,
    TaskLinks, TaskRecord, TaskState, Timestamp, Visibility, WorkerMessage, WorkerRecord,
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::frame::{decode, encode};

/// Texts with quotes, escapes and characters of every length.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z]{0,6}", 1 => any::<String>()]
}

fn number() -> impl Strategy<Value = f64> {
    let odd = select(vec![
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        5e-324,
        f64::MAX,
        0.1,
    ]);
    prop_oneof![4 => any::<f64>().prop_filter("comparable", |number| !number.is_nan()), 1 => odd]
}

fn time() -> impl Strategy<Value = Timestamp> {
    number().prop_map(Timestamp)
}

fn param() -> impl Strategy<Value = Param> {
    let visibility = select(vec![
        Visibility::Public,
        Visibility::Hidden,
        Visibility::Private,
    ]);
    (text(), text(), visibility).prop_map(|(name, value, visibility)| Param {
        name,
        value,
        visibility,
    })
}

fn identity() -> impl Strategy<Value = TaskIdentity> {
    (
        text(),
        option::of(text()),
        vec(param(), 0..3),
        any::<u64>(),
        time(),
    )
        .prop_map(|(family, module, params, age, created)| TaskIdentity {
            family,
            module,
            params,
            age,
            created,
        })
}

fn links() -> impl Strategy<Value = TaskLinks> {
    let serials = || vec(any::<u64>(), 0..3);
    (vec(text(), 0..3), serials(), serials()).prop_map(|(deps, workers, stakeholders)| TaskLinks {
        deps,
        workers,
        stakeholders,
    })
}

fn resources() -> impl Strategy<Value = BTreeMap<String, u64>> {
    btree_map(text(), any::<u64>(), 0..3)
}

fn policy() -> impl Strategy<Value = RetryPolicy> {
    (
        option::of(any::<u64>()),
        option::of(number()),
        option::of(number()),
    )
        .prop_map(
            |(retry_count, disable_hard_timeout, disable_window)| RetryPolicy {
                retry_count,
                disable_hard_timeout,
                disable_window,
            },
        )
}

fn state() -> impl Strategy<Value = TaskState> {
    let plain = (
        select(Status::ALL.to_vec()),
        (time(), time(), number()),
        any::<[bool; 6]>(),
        (resources(), option::of(resources()), policy()),
        any::<u64>(),
    );
    let texts = vec(option::of(text()), 5);
    let times = vec(option::of(time()), 5);
    let rest = (
        option::of(number()),
        btree_map(text(), text(), 0..3),
        vec(time(), 0..3),
    );
    (plain, texts, times, rest).prop_map(|(plain, mut texts, mut times, rest)| {
        let (status, (updated, updated_monotonic, priority), flags, needs, attempt) = plain;
        let [
            announced,
            runnable,
            batchable,
            accepts_messages,
            orphan,
            seen_done,
        ] = flags;
        let (resources, resources_running, retry_policy) = needs;
        let (progress_percentage, responses, failures) = rest;
        let mut text = || texts.pop().flatten();
        let mut time = || times.pop().flatten();
        TaskState {
            status,
            updated,
            updated_monotonic,
            announced,
            runnable,
            batchable,
            accepts_messages,
            priority,
            resources,
            resources_running,
            worker_running: text(),
            time_running: time(),
            attempt,
            retry_policy,
            expl: text(),
            tracking_url: text(),
            status_message: text(),
            progress_percentage,
            batch_id: text(),
            responses,
            failures,
            first_failure: time(),
            scheduler_disabled: time(),
            operator_disabled: !seen_done,
            retry: time(),
            remove: time(),
            orphan,
            seen_done,
            cancel: orphan.then(|| CancelAsk {
                by: "anna".to_owned(),
                at: updated,
                answer: seen_done.then(|| "yes".to_owned()),
                refused: seen_done,
            }),
            cancelled: seen_done.then(|| "ben".to_owned()),
            lost_with: orphan.then(|| "w".to_owned()),
        }
    })
}

fn info_value() -> impl Strategy<Value = InfoValue> {
    prop_oneof![
        Just(InfoValue::Null),
        any::<bool>().prop_map(InfoValue::Bool),
        any::<i64>().prop_map(InfoValue::Int),
        number().prop_map(InfoValue::Float),
        text().prop_map(InfoValue::Text),
        text().prop_map(InfoValue::Json),
    ]
}

fn message() -> impl Strategy<Value = WorkerMessage> {
    prop_oneof![
        any::<u64>().prop_map(|n| WorkerMessage::SetWorkerProcesses { n }),
        (text(), text(), text()).prop_map(|(task_id, message_id, content)| {
            WorkerMessage::DispatchSchedulerMessage {
                task_id,
                message_id,
                content,
            }
        }),
        (text(), any::<u64>(), text()).prop_map(|(task_id, attempt, by)| {
            WorkerMessage::CancelTask {
                task_id,
                attempt,
                by,
            }
        }),
    ]
}

fn worker() -> impl Strategy<Value = WorkerRecord> {
    let names = (text(), option::of(text()));
    let lists = (vec((text(), info_value()), 0..4), vec(message(), 0..3));
    (
        any::<[u64; 2]>(),
        names,
        time(),
        lists,
        any::<[bool; 4]>(),
        any::<i64>(),
    )
        .prop_map(
            |(serials, (id, host), started, (info, messages), flags, processes)| WorkerRecord {
                serial: serials[0],
                team_serial: serials[1],
                id,
                host,
                started,
                info,
                assistant: flags[0],
                processes,
                disabled: flags[1],
                connected: flags[2],
                left: flags[3],
                last_contact: (!flags[2]).then_some(started),
                messages,
            },
        )
}

fn record() -> impl Strategy<Value = Record> {
    let task = (
        text(),
        option::of(identity()),
        option::of(links()),
        option::of(state()),
    )
        .prop_map(|(task_id, identity, links, state)| {
            Record::Task(Box::new(TaskRecord {
                task_id,
                identity,
                links,
                state,
            }))
        });
    let batcher = (text(), text(), vec(text(), 0..3), option::of(any::<u64>())).prop_map(
        |(worker, family, batched_args, max_size)| {
            Record::Batcher(BatcherRecord {
                worker,
                family,
                batched_args,
                max_size,
            })
        },
    );
    prop_oneof![
        6 => task,
        1 => text().prop_map(Record::TaskRemoved),
        2 => worker().prop_map(Record::Worker),
        1 => any::<u64>().prop_map(Record::WorkerRemoved),
        1 => batcher,
        1 => text().prop_map(|worker| Record::BatchersRemoved { worker }),
        1 => any::<bool>().prop_map(Record::Paused),
        1 => (text(), any::<u64>()).prop_map(|(resource, amount)| Record::Limit { resource, amount }),
    ]
}

fn transaction() -> impl Strategy<Value = (Now, Vec<Record>)> {
    let now = (time(), time()).prop_map(|(monotonic, wall)| Now { monotonic, wall });
    (now, vec(record(), 0..4))
}

/// The same cases each time.
fn runner(cases: u32) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, rng)
}

fn encoded(transactions: &[(Now, Vec<Record>)]) -> Vec<u8> {
    let mut frames = Vec::new();
    for (now, records) in transactions {
        encode(*now, records, &mut frames);
    }
    frames
}

#[test]
fn any_transactions_come_back_as_they_were() {
    let check = |transactions: Vec<(Now, Vec<Record>)>| {
        let frames = encoded(&transactions);
        let mut rest = frames.as_slice();
        for (now, records) in transactions {
            let mut read = Vec::new();
            let at = decode(&mut rest, &mut |record| read.push(record));
            prop_assert_eq!(at, Ok(now));
            prop_assert_eq!(read, records);
        }
        prop_assert!(rest.is_empty());
        Ok(())
    };
    runner(400)
        .run(&vec(transaction(), 1..4), check)
        .expect("it holds");
}

#[test]
fn no_change_of_a_byte_makes_another_transaction() {
    let change = (any::<prop::sample::Index>(), 1..=u8::MAX);
    let check = |(transaction, (at, flip)): (_, (prop::sample::Index, u8))| {
        let mut frames = encoded(&[transaction]);
        let at = at.index(frames.len());
        frames[at] ^= flip;
        let read = decode(&mut frames.as_slice(), &mut |_| ());
        prop_assert!(read.is_err());
        Ok(())
    };
    runner(400)
        .run(&(transaction(), change), check)
        .expect("it holds");
}

#[test]
fn no_bytes_make_it_panic() {
    const LENGTH: Range<usize> = 1..64;
    let check = |bytes: Vec<u8>| {
        let read = decode(&mut bytes.as_slice(), &mut |_| ());
        prop_assert!(read.is_err());
        Ok(())
    };
    runner(5000)
        .run(&vec(any::<u8>(), LENGTH), check)
        .expect("it holds");
}
