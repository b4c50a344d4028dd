//! The thread that writes the history, through whatever happens to the database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use sqlx::Connection as _;
use tokio::runtime::{Builder, Runtime};

use crate::{
    DatabaseError, HistoryError,
    address::Address,
    attempt::{Entry, Standing},
    channel::{self, Entries, Sender},
    complaints::{self, Complaints, Due},
    retention::{Keeping, Retention},
    store::{Batch, Store},
    texts::Texts,
};

/// How long entries are gathered before they are written.
const GATHER_FOR: Duration = Duration::from_millis(250);
/// How long, when the last time there were as many as `MANY`: a page of the file is written once for each time.
const GATHER_MANY_FOR: Duration = Duration::from_secs(1);
const MANY: usize = 500;
/// How often it is looked for more meanwhile: to be woken for each entry costs whoever tells it.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The most entries that are written at once.
const MOST_AT_ONCE: usize = 5000;
/// How long to wait after a failure: at first, and at most.
const TRY_AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];
/// How often a database is told the same until it is tried what of it is refused.
const TRIES: u32 = 3;
/// How long the end waits for a database that is not to be had.
const WAIT_AT_THE_END: Duration = Duration::from_secs(5);

/// How the history is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where.
    pub address: Address,
    /// For how many days single attempts are kept.
    pub keep_days: u64,
    /// For how many days counts and durations of each family and day are kept.
    pub keep_totals_days: u64,
    /// The size of the file from which on the oldest attempts are dropped, in bytes. Means nothing
    /// where the history is no file of its own.
    pub max_bytes: u64,
    /// How many bytes of what happened may wait to be written.
    pub backlog_bytes: u64,
    /// The longest error or statistics that is kept, in bytes.
    pub max_text_bytes: u64,
    /// How often a trouble that lasts is told.
    pub tell_every: Duration,
}

impl Settings {
    /// The defaults, for this place.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            keep_days: 365,
            keep_totals_days: 1825,
            max_bytes: 4 << 30,
            backlog_bytes: 64 << 20,
            max_text_bytes: 16 << 10,
            tell_every: complaints::TELL_EVERY,
        }
    }
}

/// The thread that writes the history.
#[derive(Debug)]
pub struct Recorder {
    thread: thread::JoinHandle<()>,
    closing: Arc<AtomicBool>,
}

/// A history that is not opened yet. What is told waits until it is.
#[derive(Debug)]
pub struct Waiting {
    settings: Settings,
    entries: Entries,
}

impl Waiting {
    /// A history with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> (Self, Sender) {
        let room = usize::try_from(settings.backlog_bytes).unwrap_or(usize::MAX);
        let (sender, entries) = channel::channel(room);
        (Self { settings, entries }, sender)
    }

    /// Opens the history, or makes it, and starts the thread that writes it, which ends when all
    /// senders are gone.
    ///
    /// A database server that is not to be had now is no error, and neither is a full disk: it is tried
    /// again and again.
    ///
    /// # Errors
    ///
    /// When a file cannot be opened, or when a newer version wrote what is there.
    pub fn start(self) -> Result<Recorder, HistoryError> {
        let Self { settings, entries } = self;
        let closing = Arc::new(AtomicBool::new(false));
        let (opened, is_opened) = mpsc::channel();
        let closes = Arc::clone(&closing);
        let thread = thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || match Recording::open(settings, entries, closes) {
                Ok(recording) => {
                    let _ = opened.send(Ok(()));
                    recording.run();
                }
                Err(error) => drop(opened.send(Err(error))),
            })
            .map_err(HistoryError::Thread)?;
        is_opened.recv().expect("the thread says how it went")?;
        Ok(Recorder { thread, closing })
    }
}

impl Recorder {
    /// Waits until all that was sent is written, or a database that is not to be had was waited for
    /// long enough. All senders have to be gone.
    pub fn close(self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Whether to start without a history, and try again later: tasks are run all the same.
fn may_pass(address: &Address, error: &HistoryError) -> bool {
    if address.is_file() {
        error.is_of_the_disk()
    } else {
        error.may_pass()
    }
}

struct Recording {
    settings: Settings,
    entries: Entries,
    closing: Arc<AtomicBool>,
    /// When it was first seen that it is to end.
    ending: Option<Instant>,
    runtime: Runtime,
    store: Option<Store>,
    retention: Retention,
    /// It cannot be written.
    trouble: Complaints,
    /// There is no room for what is to be written.
    no_room: Complaints,
    /// What was left out and is not told yet.
    left_out: u64,
    /// How many there were the last time.
    wrote: usize,
}

/// What is to be written next.
#[derive(Default)]
struct Gathered {
    batch: Batch,
    standing: Option<Box<Standing>>,
    is_last: bool,
}

impl Recording {
    fn open(
        settings: Settings,
        entries: Entries,
        closing: Arc<AtomicBool>,
    ) -> Result<Self, HistoryError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let mut recording = Self {
            retention: Retention::new(Keeping::of(&settings)),
            trouble: Complaints::new(settings.tell_every),
            no_room: Complaints::new(settings.tell_every),
            settings,
            entries,
            closing,
            ending: None,
            runtime: runtime.map_err(HistoryError::Thread)?,
            store: None,
            left_out: 0,
            wrote: 0,
        };
        match recording.connect() {
            Ok(()) => {}
            Err(error) if may_pass(&recording.settings.address, &error) => {
                recording.complain(&error);
            }
            Err(error) => return Err(error),
        }
        Ok(recording)
    }

    fn run(mut self) {
        loop {
            let gathered = self.gather();
            self.tell_left_out(gathered.is_last);
            if let Some(standing) = &gathered.standing {
                self.reconcile(standing);
            }
            self.wrote = gathered.batch.len();
            if !gathered.batch.is_empty() {
                self.write(gathered.batch);
            }
            if gathered.is_last {
                break;
            }
            self.keep_within_bounds();
        }
        if let Some(store) = self.store.take() {
            // What was written is written.
            let _ = self.runtime.block_on(store.connection.close());
        }
    }

    /// Waits for entries, a while only.
    fn gather(&mut self) -> Gathered {
        let mut gathered = Gathered::default();
        let mut until = self.retention.next_look();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let is_gathering = !gathered.batch.is_empty();
            let wait = if is_gathering { Duration::ZERO } else { left };
            match self.entries.next(wait) {
                Ok(Entry::Standing(standing)) => {
                    gathered.standing = Some(standing);
                    // What was told before it is to be written before it.
                    if !gathered.batch.is_empty() {
                        self.write(std::mem::take(&mut gathered.batch));
                    }
                    return gathered;
                }
                Ok(entry) => {
                    if gathered.batch.is_empty() {
                        let is_much = self.wrote >= MANY;
                        until = Instant::now() + if is_much { GATHER_MANY_FOR } else { GATHER_FOR };
                    }
                    gathered.batch.add(entry);
                    if gathered.batch.len() >= MOST_AT_ONCE {
                        return gathered;
                    }
                }
                Err(RecvTimeoutError::Timeout) if is_gathering && !left.is_zero() => {
                    thread::sleep(left.min(LOOK_EVERY));
                }
                Err(RecvTimeoutError::Timeout) => return gathered,
                Err(RecvTimeoutError::Disconnected) => {
                    gathered.is_last = true;
                    return gathered;
                }
            }
        }
    }

    /// At once when it begins, and then seldom.
    fn tell_left_out(&mut self, is_last: bool) {
        let left_out = self.entries.take_left_out();
        self.left_out += left_out;
        let is_due = match left_out {
            // It is over when all that waited is written.
            0 if self.entries.bytes() == 0 => self.no_room.succeeded().is_some(),
            0 => false,
            _ => self.no_room.failed().is_some(),
        };
        if self.left_out > 0 && (is_due || is_last) {
            tracing::error!(
                "{} events were left out of the history in {}, since more waited to be written than \
                 [history] backlog_mb allows",
                std::mem::take(&mut self.left_out),
                self.settings.address
            );
        }
    }

    fn reconcile(&mut self, standing: &Standing) {
        let kept_since = self.retention.kept_since();
        let done =
            self.persist(|runtime, store| runtime.block_on(store.reconcile(standing, kept_since)));
        if let Some(unknown) = done.filter(|&unknown| unknown > 0) {
            tracing::info!(
                "{unknown} attempts in the history ended while it was not written; how is not known"
            );
        }
    }

    fn write(&mut self, batch: Batch) {
        let lost = batch.len();
        let mut tries = 0;
        let mut whole = Some(batch);
        let written = self.persist(|runtime, store| {
            let Some(batch) = whole.take() else {
                return Ok(());
            };
            let Err(error) = runtime.block_on(store.write(&batch)) else {
                return Ok(());
            };
            tries += u32::from(error.is_a_refusal());
            if tries < TRIES {
                whole = Some(batch);
                return Err(error);
            }
            // Either the database takes nothing now, or it does not take some of this.
            match runtime.block_on(write_singly(store, batch)) {
                Ok(()) => Ok(()),
                Err(batch) => {
                    whole = Some(batch);
                    Err(error)
                }
            }
        });
        if written.is_none() {
            tracing::error!(
                "the last {lost} events were left out of the history, since {} is not to be had",
                self.settings.address
            );
        }
    }

    /// Does it, again and again until it is done; `None` when it is to end before that.
    fn persist<T>(
        &mut self,
        mut act: impl FnMut(&Runtime, &mut Store) -> Result<T, DatabaseError>,
    ) -> Option<T> {
        let [mut wait, longest] = TRY_AGAIN_AFTER;
        loop {
            let connected = self.connect();
            let done = connected.and_then(|()| {
                let store = self.store.as_mut().expect("it is connected");
                act(&self.runtime, store).map_err(|source| HistoryError::Database {
                    place: self.settings.address.place().to_owned(),
                    source,
                })
            });
            match done {
                Ok(done) => {
                    if let Some((tries, after)) = self.trouble.succeeded() {
                        tracing::info!(
                            "the history in {} is written again, after {tries} tries in {} s",
                            self.settings.address,
                            after.as_secs()
                        );
                    }
                    return Some(done);
                }
                Err(error) => {
                    self.store = None;
                    self.complain(&error);
                }
            }
            if !self.sleep(wait) {
                return None;
            }
            wait = longest.min(2 * wait);
        }
    }

    fn connect(&mut self) -> Result<(), HistoryError> {
        if self.store.is_none() {
            let longest = usize::try_from(self.settings.max_text_bytes).unwrap_or(usize::MAX);
            let opening = Store::open(&self.settings.address, Texts { longest });
            self.store = Some(self.runtime.block_on(opening)?);
        }
        Ok(())
    }

    fn complain(&mut self, error: &HistoryError) {
        match self.trouble.failed() {
            Some(Due::Begun) => {
                tracing::error!("{error}; it is tried again, and what happens meanwhile waits");
            }
            Some(Due::GoesOn(tries, since)) => tracing::error!(
                "{error}; it was tried {tries} times in {} s, and {} MB wait of the {} MB for which there is room",
                since.as_secs(),
                self.entries.bytes() >> 20,
                self.settings.backlog_bytes >> 20
            ),
            None => {}
        }
    }

    /// Whether it may go on after that.
    fn sleep(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            if self.closing.load(Ordering::Relaxed) {
                let since = *self.ending.get_or_insert_with(Instant::now);
                if since.elapsed() > WAIT_AT_THE_END {
                    return false;
                }
            }
            self.tell_left_out(false);
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    fn keep_within_bounds(&mut self) {
        if !self.retention.is_due() {
            return;
        }
        let kept = self.connect().and_then(|()| {
            let store = self.store.as_mut().expect("it is connected");
            let looked = self.runtime.block_on(self.retention.look(store));
            looked.map_err(|source| HistoryError::Database {
                place: self.settings.address.place().to_owned(),
                source: source.into(),
            })
        });
        self.entries.note_expired(self.retention.take_gone());
        if let Err(error) = kept {
            self.store = None;
            self.retention.put_off();
            self.complain(&error);
        }
    }
}

/// Writes one after the other what is in it, and leaves out what is refused. When all is refused, it is
/// given back.
async fn write_singly(store: &mut Store, batch: Batch) -> Result<(), Batch> {
    let mut refused = Vec::new();
    let mut written = 0;
    for one in batch.into_singles() {
        match store.write(&one).await {
            Ok(()) => written += 1,
            Err(error) => refused.push((one, error)),
        }
    }
    if written == 0 && refused.len() > 1 {
        let batches = refused.into_iter().map(|(batch, _)| batch);
        return Err(Batch::of(batches));
    }
    for (_, error) in refused {
        tracing::error!("an event was left out of the history, whose database refuses it: {error}");
    }
    Ok(())
}
