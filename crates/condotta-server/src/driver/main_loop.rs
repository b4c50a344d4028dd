//! The loop of the scheduler's thread: requests, time, and what can wait a little.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError},
    },
    time::{Duration, Instant},
};

use condotta_protocol::{AWAIT_WORK, Object, RpcError, long_read, only_reads};
use condotta_scheduler::{Now, Scheduler, Timestamp, Wakeups};
use serde_json::Value;

use super::{
    CallError, DriverError, Reply,
    committer::{Batch, Committer},
    message::{Act, Answer, Call, Look, Message},
    reading::Reading,
    recovery::{Recovered, Recovery},
    snapshot::{self, Snapshot},
    waiting::Waiting,
};
use crate::{
    clock::Clock, metrics::Meters, observer::Observer, seldom::Seldom, state, state::StateError,
};

/// How many requests are answered before the rest gets its turn.
const BATCH: usize = 256;
/// How often the time is noted in the journal while something is to fall due, so that a scheduler
/// which is killed again and again gets on.
const NOTE_TIME_EVERY_SECS: f64 = 30.0;
/// How long to wait before it is tried again to store anything after the disk failed: so long at
/// first, then twice as long each time, up to the second value.
const TRY_AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(30)];
/// How often the scheduler may panic over what time brings until it is given up.
const PANICS_IN_A_ROW: u32 = 3;
/// How long to sleep when a snapshot waits for the disk.
const HELD_UP_FOR: Duration = Duration::from_millis(1);
/// The longest sleep, lest a clock that stood still (a suspended machine) goes unnoticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How a request is put to the scheduler.
pub(crate) type Ask = fn(&mut Scheduler, Now, &str, Object) -> Result<Value, RpcError>;

/// What the loop is made for.
pub(crate) struct Setup {
    pub(crate) recovery: Recovery,
    pub(crate) observers: Vec<Box<dyn Observer>>,
    pub(crate) snapshot_after_bytes: u64,
    pub(crate) meters: Arc<Meters>,
    pub(crate) ask: Ask,
}

impl Setup {
    fn tell_start(&mut self, scheduler: &Scheduler) {
        for observer in &mut self.observers {
            observer.start(scheduler);
        }
    }
}

pub(crate) struct MainLoop {
    setup: Setup,
    messages: (Sender<Message>, Receiver<Message>),
    /// Messages that were fetched and not handled yet.
    held: VecDeque<Message>,
    scheduler: Scheduler,
    clock: Clock,
    committer: Committer,
    batch: Batch,
    waiting: Waiting,
    reading: Reading,
    snapshot: Snapshotting,
    journal_bytes: u64,
    snapshot_bytes: u64,
    time_noted: Timestamp,
    /// How often in a row the scheduler panicked over what time brings.
    panics: u32,
    /// Why changes cannot be stored now.
    failure: Option<StateError>,
}

/// How far the next snapshot is.
enum Snapshotting {
    NotDue,
    /// The journal is to go on in a new segment first.
    Asked,
    Taking(Snapshot),
}

enum Next {
    GoOn,
    Stop,
}

/// What to do with a state that was read anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Store {
    /// It is on the disk.
    AsItIs,
    /// What can be read may be in memory only: it is written whole.
    Whole,
}

impl Store {
    fn after(error: &StateError) -> Self {
        if error.leaves_doubt() {
            Self::Whole
        } else {
            Self::AsItIs
        }
    }
}

impl MainLoop {
    pub(crate) fn new(
        mut setup: Setup,
        recovered: Recovered,
        messages: (Sender<Message>, Receiver<Message>),
    ) -> Result<Self, DriverError> {
        let Recovered {
            scheduler,
            clock,
            writer,
            ..
        } = recovered;
        let journal_bytes = writer.bytes_since_snapshot();
        let meters = Arc::clone(&setup.meters);
        setup.tell_start(&scheduler);
        Ok(Self {
            setup,
            scheduler,
            clock,
            committer: Committer::start(writer, messages.0.clone(), meters)?,
            messages,
            held: VecDeque::new(),
            batch: Batch::default(),
            waiting: Waiting::default(),
            reading: Reading::default(),
            snapshot: Snapshotting::NotDue,
            journal_bytes,
            snapshot_bytes: 0,
            time_noted: clock.now().monotonic,
            panics: 0,
            failure: None,
        })
    }

    pub(crate) fn run(mut self) -> Result<(), DriverError> {
        loop {
            if let Next::Stop = self.handle_messages()? {
                break;
            }
            self.handle_time()?;
            self.commit();
            self.step();
        }
        self.reading.clear();
        self.commit();
        self.committer.close();
        let failure = self.stop_committer().or(self.failure);
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Has everything stored, if the disk does not fail; why it failed. What the journal's thread
    /// said besides is of no use without it.
    fn stop_committer(&mut self) -> Option<StateError> {
        self.committer.stop();
        let mut failure = None;
        for message in self.messages.1.try_iter() {
            match message {
                Message::StateFailed(error) => failure = Some(error),
                // Dropped here, since it keeps the directory locked.
                Message::SnapshotBegun(_) | Message::SnapshotEnded(_) => {}
                other => self.held.push_back(other),
            }
        }
        failure
    }

    /// Waits until there is something to do, and answers what was asked.
    fn handle_messages(&mut self) -> Result<Next, DriverError> {
        let mut message = match self.wait_for_message() {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return Ok(Next::GoOn),
            Err(RecvTimeoutError::Disconnected) => return Ok(Next::Stop),
        };
        for left in (0..BATCH).rev() {
            match message {
                Message::Call(call) => self.handle_call(call)?,
                Message::Act(act) => self.handle_act(act)?,
                Message::Look(look) => self.look(look),
                Message::Read(turn) => self.reading.add_turn(turn),
                Message::SnapshotBegun(writer) => self.start_snapshot(writer),
                Message::SnapshotEnded(result) => self.end_snapshot(result.map_err(Into::into)),
                Message::StateFailed(error) => self.recover_from(error),
                Message::JournalPanicked => return Err(DriverError::Journal),
                Message::Close => self.waiting.close(),
                Message::Stop => return Ok(Next::Stop),
            }
            if left == 0 {
                // What is fetched has to be handled, so the next one stays where it is.
                break;
            }
            match self.next_message() {
                Ok(next) => message = next,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(Next::Stop),
            }
        }
        Ok(Next::GoOn)
    }

    fn next_message(&mut self) -> Result<Message, TryRecvError> {
        let held = self.held.pop_front();
        held.map_or_else(|| self.messages.1.try_recv(), Ok)
    }

    fn wait_for_message(&mut self) -> Result<Message, RecvTimeoutError> {
        if let Some(message) = self.held.pop_front() {
            return Ok(message);
        }
        self.messages.1.recv_timeout(self.sleep())
    }

    /// How long there is nothing to do, if nobody asks for anything.
    fn sleep(&self) -> Duration {
        let snapshot = match &self.snapshot {
            Snapshotting::Taking(snapshot) if snapshot.is_slicing() => Some(snapshot),
            _ => None,
        };
        match snapshot {
            Some(snapshot) if snapshot.is_held_up() && self.reading.is_idle() => {
                return HELD_UP_FOR;
            }
            None if self.reading.is_idle() => {}
            _ => return Duration::ZERO,
        }
        let due = self.scheduler.poll_timeout();
        let due = due.map(|due| self.clock.instant(due));
        let moments = due.into_iter().chain(self.waiting.next_expiry());
        let now = Instant::now();
        moments.min().map_or(LONGEST_SLEEP, |moment| {
            moment.saturating_duration_since(now).min(LONGEST_SLEEP)
        })
    }

    fn handle_call(&mut self, call: Call) -> Result<(), DriverError> {
        let Call {
            method,
            arguments,
            answer,
        } = call;
        if method == AWAIT_WORK {
            self.await_work(arguments, answer);
            return Ok(());
        }
        if let Some(read) = long_read(&method, &arguments) {
            match read {
                Ok(read) => self.reading.add(read, answer),
                Err(error) => {
                    let _ = answer.send(Err(error.into()));
                }
            }
            return Ok(());
        }
        let now = self.clock.now();
        let (ask, scheduler) = (self.setup.ask, &mut self.scheduler);
        let answered = catch_unwind(AssertUnwindSafe(|| ask(scheduler, now, &method, arguments)));
        let reply = match answered {
            Ok(Ok(value)) => Ok(Reply::Value(value)),
            Ok(Err(error)) => Err(error.into()),
            Err(panic) => return self.recover_from_panic(&method, &*panic, Some(answer)),
        };
        let changed = self.note_changes(now);
        // What was asked to change something may find it changed already, by a request that is not
        // durable yet: its answer waits for that one.
        if changed || !(only_reads(&method) || method == "ping") {
            self.batch.answers.push((answer, reply));
        } else {
            let _ = answer.send(reply);
        }
        Ok(())
    }

    fn handle_act(&mut self, act: Act) -> Result<(), DriverError> {
        let Act { name, work, answer } = act;
        let now = self.clock.now();
        let scheduler = &mut self.scheduler;
        let reply = match catch_unwind(AssertUnwindSafe(|| work(scheduler, now))) {
            Ok(Ok(value)) => Ok(Reply::Value(value)),
            Ok(Err(error)) => Err(error.into()),
            Err(panic) => return self.recover_from_panic(name, &*panic, Some(answer)),
        };
        self.note_changes(now);
        self.batch.answers.push((answer, reply));
        Ok(())
    }

    /// Whoever looks and panics gets no answer, and has changed nothing.
    fn look(&self, look: Look) {
        let now = self.clock.now();
        if catch_unwind(AssertUnwindSafe(|| look(&self.scheduler, now))).is_err() {
            tracing::error!("a look at the scheduler panicked");
        }
    }

    fn await_work(&mut self, arguments: Object, answer: Answer) {
        match condotta_protocol::await_work(arguments) {
            Ok((worker, secs)) => self.waiting.wait(Instant::now(), worker, secs, answer),
            Err(error) => {
                let _ = answer.send(Err(error.into()));
            }
        }
    }

    /// Puts what changed into the batch. Whether anything did.
    fn note_changes(&mut self, now: Now) -> bool {
        let changes = self.scheduler.take_changes();
        if changes.is_empty() {
            return false;
        }
        let before = self.batch.frames.len();
        state::encode(now, &changes, &mut self.batch.frames);
        self.journal_bytes += (self.batch.frames.len() - before) as u64;
        self.time_noted = now.monotonic;
        true
    }

    /// Does what time brings.
    fn handle_time(&mut self) -> Result<(), DriverError> {
        let now = self.clock.now();
        let due = self.scheduler.poll_timeout();
        if due.is_some_and(|due| due <= now.monotonic) {
            let scheduler = &mut self.scheduler;
            let done = catch_unwind(AssertUnwindSafe(|| scheduler.handle_timeout(now)));
            match done {
                Ok(()) => self.panics = 0,
                Err(panic) => self.recover_from_panic("what time brings", &*panic, None)?,
            }
            self.note_changes(now);
        } else if due.is_some() && now.monotonic.since(self.time_noted) > NOTE_TIME_EVERY_SECS {
            state::encode(now, &[], &mut self.batch.frames);
            self.time_noted = now.monotonic;
        }
        while let Some(event) = self.scheduler.poll_event() {
            for observer in &mut self.setup.observers {
                observer.observe(&event, &self.scheduler);
            }
        }
        self.waiting.wake(self.scheduler.take_wakeups());
        self.waiting.expire(Instant::now());
        Ok(())
    }

    fn commit(&mut self) {
        if !self.batch.is_empty() {
            self.committer.write(std::mem::take(&mut self.batch));
        }
        // All snapshots together cost no more than the journal.
        let due_at = self.setup.snapshot_after_bytes.max(self.snapshot_bytes);
        if self.journal_bytes > due_at && matches!(self.snapshot, Snapshotting::NotDue) {
            self.committer.begin_snapshot();
            self.snapshot = Snapshotting::Asked;
        }
    }

    /// A little of what can wait.
    fn step(&mut self) {
        self.reading.step(&self.scheduler, self.clock.now());
        if let Snapshotting::Taking(snapshot) = &mut self.snapshot {
            snapshot.step(&self.scheduler, self.clock.now(), &self.committer);
        }
    }

    fn start_snapshot(&mut self, writer: state::SnapshotWriter) {
        let back = self.messages.0.clone();
        let done = move |message| {
            let _ = back.send(message);
        };
        match Snapshot::start(writer, done) {
            Ok(snapshot) => {
                self.snapshot_bytes = self.journal_bytes;
                self.journal_bytes = 0;
                self.snapshot = Snapshotting::Taking(snapshot);
            }
            Err(error) => self.end_snapshot(Err(error)),
        }
    }

    fn end_snapshot(&mut self, result: Result<(), DriverError>) {
        match result {
            Ok(()) => tracing::info!("a snapshot of the state was taken"),
            Err(error) => {
                // The journal has everything; it only grows longer.
                tracing::error!("no snapshot of the state could be taken: {error}");
                self.snapshot_bytes = 2 * self.journal_bytes;
            }
        }
        self.snapshot = Snapshotting::NotDue;
    }

    /// A request made the scheduler panic: what it did to the state in memory is not known, so the
    /// state is read anew. What was acknowledged before is stored.
    fn recover_from_panic(
        &mut self,
        method: &str,
        panic: &(dyn std::any::Any + Send),
        answer: Option<Answer>,
    ) -> Result<(), DriverError> {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("panic");
        tracing::error!("{method} made the scheduler panic: {text}; the stored state is read anew");
        if answer.is_none() {
            // What is due is due again after it was read anew.
            self.panics += 1;
            if self.panics > PANICS_IN_A_ROW {
                return Err(DriverError::Panicked(text.to_owned()));
            }
        }
        self.commit();
        self.read_anew(Store::AsItIs)?;
        if let Some(answer) = answer {
            let _ = answer.send(Err(CallError::Failed(format!("{method}: {text}"))));
        }
        Ok(())
    }

    /// The disk failed. Nobody is told that anything is stored until there is room again and the
    /// state was read from the disk; and, if a sync failed, until it could be written whole.
    fn recover_from(&mut self, error: StateError) {
        tracing::error!("{error}; until that is mended, all requests are refused");
        let reason: Arc<str> = format!("its state cannot be stored: {error}").into();
        let store = Store::after(&error);
        self.failure = Some(error);
        let complaints = Seldom::default();
        let [mut wait, longest] = TRY_AGAIN_AFTER;
        loop {
            if let Next::Stop = self.refuse_calls(Instant::now() + wait, &reason) {
                return;
            }
            let room = state::try_room(&self.setup.recovery.state_dir);
            let read = room.map_err(DriverError::from);
            match read.and_then(|()| self.read_anew(store)) {
                Ok(()) => {
                    tracing::info!("the state was read anew and is stored again");
                    self.failure = None;
                    return;
                }
                Err(error) if complaints.is_due() => {
                    tracing::error!("the state cannot be stored yet: {error}");
                }
                Err(_) => {}
            }
            wait = longest.min(2 * wait);
        }
    }

    fn refuse_calls(&mut self, until: Instant, reason: &Arc<str>) -> Next {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let held = self.held.pop_front();
            match held.map_or_else(|| self.messages.1.recv_timeout(left), Ok) {
                Ok(Message::Call(call)) => {
                    let not_stored = CallError::NotStored(Arc::clone(reason));
                    let _ = call.answer.send(Err(not_stored));
                }
                Ok(Message::Act(act)) => {
                    let not_stored = CallError::NotStored(Arc::clone(reason));
                    let _ = act.answer.send(Err(not_stored));
                }
                Ok(Message::Close) => self.waiting.close(),
                Ok(Message::Stop) => {
                    // The main loop is to see it, too.
                    let _ = self.messages.0.send(Message::Stop);
                    return Next::Stop;
                }
                Ok(_) => {}
                Err(_) => return Next::GoOn,
            }
        }
    }

    /// Drops what is in memory, and takes what is stored.
    fn read_anew(&mut self, mut store: Store) -> Result<(), DriverError> {
        self.snapshot = Snapshotting::NotDue;
        self.batch = Batch::default();
        if let Some(error) = self.stop_committer() {
            store = store.max(Store::after(&error));
        }
        let Recovered {
            scheduler,
            clock,
            mut writer,
            report,
        } = self.setup.recovery.recover(self.clock.now().monotonic)?;
        tracing::info!("{report}");
        if let Store::Whole = store {
            snapshot::write_whole(&scheduler, clock.now(), writer.begin_snapshot()?)?;
        }
        self.journal_bytes = writer.bytes_since_snapshot();
        let meters = Arc::clone(&self.setup.meters);
        self.committer = Committer::start(writer, self.messages.0.clone(), meters)?;
        self.scheduler = scheduler;
        self.clock = clock;
        for observer in &mut self.setup.observers {
            observer.begin_anew(&self.scheduler);
        }
        // Whom the scheduler in memory was about to wake, nobody knows any more.
        self.waiting.wake(Wakeups {
            everybody: true,
            workers: Vec::new(),
        });
        Ok(())
    }
}
