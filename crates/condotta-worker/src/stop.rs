//! How a worker is told to stop. Knows nothing of signals: whoever catches them calls this.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How urgent it is to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    #[default]
    Run,
    /// Ask for no more work; finish planning and what runs.
    PhaseOut,
    /// Plan no further, ask for no more work; finish what runs.
    Finish,
    /// Stop what runs, and go.
    Now,
}

/// Tells a worker to stop; clones are handles to the same signal.
///
/// Tasks in child processes are really stopped. One that runs on a thread of the worker can only
/// be asked ([`RunContext::stop_requested`](crate::RunContext::stop_requested)): a program that
/// has to end in any case waits a little with [`wait_until_idle`](Self::wait_until_idle), has the
/// scheduler told with [`take_leave`](Self::take_leave) and exits.
#[derive(Clone, Default)]
pub struct StopSignal {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    idle: Condvar,
    raised: Condvar,
}

#[derive(Default)]
struct State {
    level: StopLevel,
    busy: usize,
    next_key: u64,
    wakers: Vec<(u64, Waker)>,
    farewells: Vec<(u64, Farewell)>,
}

/// Called when the level rises. Must not block.
pub(crate) type Waker = Arc<dyn Fn(StopLevel) + Send + Sync>;

/// Gives back what a worker runs, from outside of it. May block.
pub(crate) type Farewell = Arc<dyn Fn() + Send + Sync>;

impl StopSignal {
    /// A signal that says nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For SIGINT and SIGTERM. The first time the worker finishes what runs and asks for no more;
    /// the second time it stops what runs. Returns what holds now.
    pub fn interrupt(&self) -> StopLevel {
        let next = if self.level() < StopLevel::Finish {
            StopLevel::Finish
        } else {
            StopLevel::Now
        };
        self.raise(next)
    }

    /// For SIGUSR1: the worker asks for no more work and leaves when what runs has finished.
    pub fn phase_out(&self) -> StopLevel {
        self.raise(StopLevel::PhaseOut)
    }

    /// Raises the level to at least `level`. Returns what holds now.
    pub fn raise(&self, level: StopLevel) -> StopLevel {
        let mut state = self.lock();
        if level <= state.level {
            return state.level;
        }
        state.level = level;
        let wakers: Vec<Waker> = state
            .wakers
            .iter()
            .map(|(_, waker)| Arc::clone(waker))
            .collect();
        drop(state);
        self.shared.raised.notify_all();
        for waker in wakers {
            waker(level);
        }
        level
    }

    /// What holds now.
    #[must_use]
    pub fn level(&self) -> StopLevel {
        self.lock().level
    }

    /// Waits until no worker with this signal runs, at most `patience`. Says whether that is so.
    #[must_use]
    pub fn wait_until_idle(&self, patience: Duration) -> bool {
        let (state, _) = self
            .shared
            .idle
            .wait_timeout_while(self.lock(), patience, |state| state.busy > 0)
            .expect("nobody panics with this lock");
        state.busy == 0
    }

    /// For a program that exits although workers with this signal still run: has each of them give
    /// back to its scheduler what it runs, as if it had come to its end. Waits for that at most
    /// `patience`. Says whether the schedulers were told in that time.
    #[must_use]
    pub fn take_leave(&self, patience: Duration) -> bool {
        let farewells = self.lock().farewells.clone();
        let (done, told) = channel();
        for (key, farewell) in farewells {
            let done = done.clone();
            let say = move || {
                farewell();
                // Nobody may wait any more.
                let _ = done.send(());
            };
            let named = thread::Builder::new().name(format!("farewell-{key}"));
            if named.spawn(say).is_err() {
                return false;
            }
        }
        drop(done);
        wait_for_all(&told, patience)
    }

    /// Waits until the level is at least `level`, at most `patience`.
    pub(crate) fn wait_for(&self, level: StopLevel, patience: Duration) {
        let waited = self
            .shared
            .raised
            .wait_timeout_while(self.lock(), patience, |state| state.level < level);
        drop(waited.expect("nobody panics with this lock"));
    }

    pub(crate) fn busy(&self) -> Busy {
        self.lock().busy += 1;
        Busy {
            signal: self.clone(),
        }
    }

    /// Calls `waker` when the level rises, until the registration is dropped; at once when it
    /// has risen already.
    pub(crate) fn register(&self, waker: Waker) -> Registration {
        let mut state = self.lock();
        let key = state.next_key;
        state.next_key += 1;
        state.wakers.push((key, Arc::clone(&waker)));
        let level = state.level;
        drop(state);
        if level > StopLevel::Run {
            waker(level);
        }
        self.registration(key)
    }

    /// Calls `farewell` when the program leaves, until the registration is dropped.
    pub(crate) fn register_farewell(&self, farewell: Farewell) -> Registration {
        let mut state = self.lock();
        let key = state.next_key;
        state.next_key += 1;
        state.farewells.push((key, farewell));
        drop(state);
        self.registration(key)
    }

    fn registration(&self, key: u64) -> Registration {
        Registration {
            signal: self.clone(),
            key,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .expect("nobody panics with this lock")
    }
}

impl fmt::Debug for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StopSignal").field(&self.level()).finish()
    }
}

/// Whether everybody who had a sender has used it within `patience`.
fn wait_for_all(told: &Receiver<()>, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    loop {
        match told.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

/// A worker runs as long as this lives.
pub(crate) struct Busy {
    signal: StopSignal,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.signal.lock().busy -= 1;
        self.signal.shared.idle.notify_all();
    }
}

/// A waker or a farewell is called as long as this lives.
pub(crate) struct Registration {
    signal: StopSignal,
    key: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.signal.lock();
        state.wakers.retain(|(key, _)| *key != self.key);
        state.farewells.retain(|(key, _)| *key != self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupting_twice_stops_now_and_phasing_out_never_lowers() {
        let signal = StopSignal::new();
        assert_eq!(signal.phase_out(), StopLevel::PhaseOut);
        assert_eq!(signal.interrupt(), StopLevel::Finish);
        assert_eq!(signal.phase_out(), StopLevel::Finish);
        assert_eq!(signal.interrupt(), StopLevel::Now);
        assert_eq!(signal.clone().level(), StopLevel::Now);
    }

    #[test]
    fn wakers_hear_of_what_was_said_before_and_not_after_they_left() {
        let signal = StopSignal::new();
        signal.interrupt();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let registration = signal.register({
            let heard = Arc::clone(&heard);
            Arc::new(move |level| heard.lock().unwrap().push(level))
        });
        drop(registration);
        signal.interrupt();
        assert_eq!(*heard.lock().unwrap(), [StopLevel::Finish]);
    }

    #[test]
    fn leaving_waits_for_every_farewell_but_not_for_ever() {
        let signal = StopSignal::new();
        let (said, heard) = channel();
        let quick = signal.register_farewell(Arc::new({
            let said = said.clone();
            move || said.send("quick").unwrap()
        }));
        assert!(signal.take_leave(Duration::from_secs(60)));
        let (release, hung) = channel::<()>();
        let hung = Mutex::new(hung);
        let slow = signal.register_farewell(Arc::new(move || {
            let _ = hung.lock().unwrap().recv();
        }));
        assert!(!signal.take_leave(Duration::from_millis(20)));
        assert_eq!(heard.recv().unwrap(), "quick");
        assert_eq!(heard.recv().unwrap(), "quick");
        drop((quick, slow, release));
        assert!(signal.take_leave(Duration::ZERO), "nobody is left");
        assert!(heard.try_recv().is_err());
    }

    #[test]
    fn idle_is_when_the_last_worker_has_gone() {
        let signal = StopSignal::new();
        let busy = signal.busy();
        assert!(!signal.wait_until_idle(Duration::from_millis(1)));
        drop(busy);
        assert!(signal.wait_until_idle(Duration::from_secs(10)));
    }
}
