//! Look-ups of hosts' names, which a process that forks keeps from happening meanwhile: the C library's locks that they
//! take could never be given back in the child.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ureq::{
    Error,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

/// The look-ups of whoever speaks to one server.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    running: usize,
}

impl Lookups {
    /// Lets no look-up begin until [`release`](Self::release), and waits up to `patience` for those that have begun.
    pub fn hold(&self, patience: Duration) {
        let mut state = self.state();
        state.held = true;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, patience, |state| state.running > 0);
        drop(waited);
    }

    /// Lets look-ups begin again.
    pub fn release(&self) {
        self.state().held = false;
        self.shared.changed.notify_all();
    }

    fn while_looking<T>(&self, look_up: impl FnOnce() -> T) -> T {
        let waited = self
            .shared
            .changed
            .wait_while(self.state(), |state| state.held);
        waited.unwrap_or_else(PoisonError::into_inner).running += 1;
        let found = look_up();
        self.state().running -= 1;
        self.shared.changed.notify_all();
        found
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks names up as usual, while nobody holds that up.
#[derive(Debug, Default)]
pub(super) struct HoldableResolver {
    resolver: DefaultResolver,
    lookups: Lookups,
}

impl HoldableResolver {
    pub(super) fn new(lookups: Lookups) -> Self {
        Self {
            resolver: DefaultResolver::default(),
            lookups,
        }
    }
}

impl Resolver for HoldableResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.lookups
            .while_looking(|| self.resolver.resolve(uri, config, timeout))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn no_look_up_begins_while_they_are_held_up() {
        let lookups = Lookups::default();
        lookups.hold(Duration::ZERO);
        let (tell, told) = mpsc::channel();
        let looking = {
            let lookups = lookups.clone();
            thread::spawn(move || lookups.while_looking(|| tell.send(lookups.state().held)))
        };
        lookups.release();
        assert!(!told.recv_timeout(LONG).unwrap());
        looking.join().unwrap().unwrap();
    }

    #[test]
    fn one_that_has_begun_is_waited_for_but_not_for_ever() {
        let lookups = Lookups::default();
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let looking = {
            let lookups = lookups.clone();
            thread::spawn(move || {
                lookups.while_looking(|| {
                    begin.send(()).unwrap();
                    ended.recv().unwrap();
                });
            })
        };
        begun.recv_timeout(LONG).unwrap();
        lookups.hold(Duration::from_millis(1));
        assert_eq!(lookups.state().running, 1);
        lookups.release();
        end.send(()).unwrap();
        lookups.hold(LONG);
        assert_eq!(lookups.state().running, 0);
        looking.join().unwrap();
    }
}
