//! What happens in the tests, and how it is recorded and read again.

use std::time::{SystemTime, UNIX_EPOCH};

use condotta_history::{
    Address, Attempt, AttemptId, Began, Ended, Entry, Filter, History, HistoryError, Outcome, Page,
    Recorder, Sender, Settings, Waiting,
};
use condotta_scheduler::Timestamp;

/// So many seconds after a moment an hour ago: what is old is dropped.
pub(crate) fn at(secs: f64) -> Timestamp {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let hour = now / 3600 - 1;
    #[expect(clippy::cast_precision_loss, reason = "it is far from 2^52")]
    Timestamp((hour * 3600) as f64 + secs)
}

/// An attempt of a task of family `Load` with a parameter `n`.
pub(crate) fn began(n: u32, secs: f64) -> Began {
    Began {
        began: at(secs),
        task_id: format!("Load_{n}_abc"),
        family: "Load".into(),
        module: Some("pipelines.load".into()),
        params: vec![
            ("date".to_owned(), "2026-11-27".to_owned()),
            ("n".to_owned(), n.to_string()),
        ],
        attempt: 1,
        worker: Some(format!("worker-{}", n % 3).into()),
        host: Some("host".into()),
        ..Began::default()
    }
}

pub(crate) fn ended(began: &Began, secs: f64, outcome: Outcome) -> Ended {
    let failed = outcome == Outcome::Failed;
    Ended {
        id: began.id(),
        ended: Some(Timestamp(began.began.0 + secs)),
        outcome,
        error: failed.then(|| "it broke".to_owned()),
    }
}

/// An attempt from its begin to its end.
pub(crate) fn run(began: Began, secs: f64, outcome: Outcome) -> [Entry; 2] {
    let ended = ended(&began, secs, outcome);
    [Entry::Began(Box::new(began)), Entry::Ended(ended)]
}

/// Records this and nothing more.
pub(crate) fn record(address: &Address, entries: impl IntoIterator<Item = Entry>) {
    record_as(Settings::new(address.clone()), |sender| {
        entries.into_iter().for_each(|entry| sender.send(entry));
    });
}

pub(crate) fn start(settings: Settings) -> Result<(Recorder, Sender), HistoryError> {
    let (waiting, sender) = Waiting::new(settings);
    Ok((waiting.start()?, sender))
}

pub(crate) fn record_as(settings: Settings, tell: impl FnOnce(&Sender)) {
    let (recorder, sender) = start(settings).expect("the history opens");
    tell(&sender);
    drop(sender);
    recorder.close();
}

/// Asks the history something.
pub(crate) fn ask<T>(address: &Address, question: impl AsyncFnOnce(&History) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let history = History::new(address.clone()).unwrap();
        let answer = question(&history).await;
        history.close().await;
        answer
    })
}

/// The attempts that a filter lets through, newest first.
pub(crate) fn attempts(address: &Address, filter: &Filter) -> Vec<Attempt> {
    let page = Page {
        limit: 5000,
        after: None,
    };
    ask(address, async |history| {
        history.attempts(filter, &page).await.unwrap().attempts
    })
}

/// The numbers `n` of attempts.
pub(crate) fn numbers(attempts: &[Attempt]) -> Vec<u32> {
    let number = |attempt: &Attempt| {
        let params = &attempt.began.params;
        params
            .iter()
            .find(|param| param.0 == "n")
            .unwrap()
            .1
            .parse()
            .unwrap()
    };
    attempts.iter().map(number).collect()
}

pub(crate) fn attempt(address: &Address, id: &AttemptId) -> Option<Attempt> {
    ask(address, async |history| history.attempt(id).await.unwrap())
}
