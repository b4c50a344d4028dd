//! Failed attempts by address: whoever tries too many tokens is no longer listened to for a while.
//!
//! A token that was good from an address before stays good from there, so that one bad client behind a
//! proxy or a router does not lock out its neighbours.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::secret::Digest;

/// How long failures count.
pub(super) const WINDOW: Duration = Duration::from_mins(1);
/// The most addresses and the most good pairs that are remembered.
const MOST: usize = 20_000;

/// Where requests come from: an address, or the network that one customer has of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin(Option<IpAddr>);

impl Origin {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        let network = |address: IpAddr| match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
            IpAddr::V4(_) => address.to_canonical(),
        };
        Self(address.map(network))
    }
}

/// Counts failures.
pub(super) struct Attempts {
    most: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failed: HashMap<Origin, Failed>,
    good: HashSet<(Origin, Digest)>,
}

struct Failed {
    since: Instant,
    count: u32,
}

impl Attempts {
    /// `most` failures a minute are looked at; 0 for all.
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            state: Mutex::default(),
        }
    }

    /// Notes a token that is good. False if too many failed from there, and this one is new there: then
    /// the caller must not hear that it is good.
    pub(super) fn succeed(&self, origin: Origin, token: Digest) -> bool {
        let mut state = self.state();
        if state.good.contains(&(origin, token)) {
            return true;
        }
        if self.is_over(&state, origin) {
            return false;
        }
        if state.good.len() >= MOST {
            state.good.clear();
        }
        state.good.insert((origin, token));
        true
    }

    /// Counts a token that is not. False if too many failed from there.
    pub(super) fn fail(&self, origin: Origin) -> bool {
        let mut state = self.state();
        let failed = &mut state.failed;
        if failed.len() >= MOST {
            failed.retain(|_, failed| failed.since.elapsed() < WINDOW);
        }
        if failed.len() >= MOST {
            failed.clear();
        }
        let now = Instant::now();
        let new = || Failed {
            since: now,
            count: 0,
        };
        let found = failed.entry(origin).or_insert_with(new);
        if now.duration_since(found.since) >= WINDOW {
            *found = new();
        }
        found.count = found.count.saturating_add(1);
        self.most == 0 || found.count <= self.most
    }

    fn is_over(&self, state: &State, origin: Origin) -> bool {
        let found = state.failed.get(&origin);
        self.most > 0
            && found
                .is_some_and(|failed| failed.count >= self.most && failed.since.elapsed() < WINDOW)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::of(Some(text.parse().unwrap()))
    }

    #[test]
    fn after_too_many_failures_only_known_tokens_pass() {
        let attempts = Attempts::new(3);
        let (bad, other) = (origin("10.0.0.1"), origin("10.0.0.2"));
        let (known, new) = (Digest::of("known"), Digest::of("new"));
        assert!(attempts.succeed(bad, known));
        for _ in 0..3 {
            assert!(attempts.fail(bad));
        }
        assert!(!attempts.fail(bad), "the fourth is too many");
        assert!(!attempts.succeed(bad, new), "a good guess does not show");
        assert!(attempts.succeed(bad, known), "the neighbour goes on");
        assert!(attempts.succeed(other, new) && attempts.fail(other));
    }

    #[test]
    fn nothing_is_counted_without_a_limit() {
        let attempts = Attempts::new(0);
        for _ in 0..100 {
            assert!(attempts.fail(origin("10.0.0.1")));
        }
        assert!(attempts.succeed(origin("10.0.0.1"), Digest::of("a")));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::new(1);
        for index in 0..MOST + 10 {
            let address = std::net::Ipv4Addr::from_bits(u32::try_from(index).unwrap());
            let origin = Origin::of(Some(address.into()));
            attempts.succeed(origin, Digest::of("a"));
            attempts.fail(origin);
        }
        let state = attempts.state();
        assert!(state.failed.len() <= MOST && state.good.len() <= MOST);
    }

    #[test]
    fn a_network_of_ipv6_is_one_origin() {
        assert_eq!(origin("2001:db8::1"), origin("2001:db8::ffff:2"));
        assert_ne!(origin("2001:db8::1"), origin("2001:db8:0:1::1"));
        assert_eq!(origin("::ffff:10.0.0.1"), origin("10.0.0.1"));
    }
}
