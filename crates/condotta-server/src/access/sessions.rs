//! Sessions of browsers: a cookie that stands for a token, until it is given back, its time is over or
//! the server ends.
//!
//! Scripts cannot read the cookie, unlike a token that a page keeps, and event streams carry it, which
//! cannot send headers. A session is worth no more than its token: with that it ends.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::secret::{Digest, NoRandomness, new_secret};

/// The most sessions at once; a new one takes the place of the one that would end first.
const MOST: usize = 10_000;

/// The sessions of a running server.
pub(super) struct Sessions {
    lasts: Duration,
    open: Mutex<HashMap<Digest, Session>>,
}

struct Session {
    token: Digest,
    until: Instant,
}

impl Sessions {
    pub(super) fn new(lasts: Duration) -> Self {
        Self {
            lasts,
            open: Mutex::default(),
        }
    }

    /// How long a session lasts.
    pub(super) fn lasts(&self) -> Duration {
        self.lasts
    }

    /// Begins a session in the name of a token; its secret.
    pub(super) fn begin(&self, token: Digest) -> Result<String, NoRandomness> {
        let secret = new_secret()?;
        let mut open = self.open();
        if open.len() >= MOST {
            let now = Instant::now();
            open.retain(|_, session| session.until > now);
        }
        if open.len() >= MOST {
            let first = open.iter().min_by_key(|(_, session)| session.until);
            let first = first.map(|(session, _)| *session);
            open.remove(&first.expect("there are many"));
        }
        let until = Instant::now() + self.lasts;
        open.insert(Digest::of(&secret), Session { token, until });
        Ok(secret)
    }

    /// The token for which a session stands.
    pub(super) fn token(&self, secret: &str) -> Option<Digest> {
        let open = self.open();
        let session = open.get(&Digest::of(secret))?;
        (session.until > Instant::now()).then_some(session.token)
    }

    /// Ends a session, if there is one.
    pub(super) fn end(&self, secret: &str) {
        self.open().remove(&Digest::of(secret));
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Digest, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_stands_for_its_token_until_it_ends() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let token = Digest::of("token");
        let (one, other) = (
            sessions.begin(token).unwrap(),
            sessions.begin(token).unwrap(),
        );
        assert_ne!(one, other);
        assert!(sessions.token(&one) == Some(token));
        sessions.end(&one);
        assert!(sessions.token(&one).is_none() && sessions.token(&other).is_some());
        let over = Sessions::new(Duration::ZERO);
        let secret = over.begin(token).unwrap();
        assert!(over.token(&secret).is_none());
    }

    #[test]
    fn there_are_only_so_many() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let first = sessions.begin(Digest::of("a")).unwrap();
        for _ in 0..MOST {
            sessions.begin(Digest::of("a")).unwrap();
        }
        assert_eq!(sessions.open().len(), MOST);
        assert!(sessions.token(&first).is_none(), "the oldest has gone");
    }
}
