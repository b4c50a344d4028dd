//! The tokens as the server knows them: read again when the file has changed.
//!
//! Each request looks at the file's times, which costs about a microsecond, so that whoever revokes a
//! token can rely on it from the next request on.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    secret::Digest,
    token_file::{Token, TokenError, TokenFile},
};
use crate::seldom::Seldom;

/// What tells one version of the file from another.
type Stamp = (u64, i64, i64, i64, i64, u64);

/// The tokens of a running server.
pub(super) struct Tokens {
    file: TokenFile,
    known: Mutex<Known>,
    trouble: Seldom,
}

#[derive(Default)]
struct Known {
    /// Of the version that was read; `None` for no file.
    stamp: Option<Stamp>,
    /// `None` as long as there never was a file.
    tokens: Option<Arc<[Token]>>,
}

impl Tokens {
    pub(super) fn of(state_dir: &Path) -> Self {
        Self {
            file: TokenFile::of(state_dir),
            known: Mutex::default(),
            trouble: Seldom::default(),
        }
    }

    /// The tokens as they are now; `None` if there never was one. A file that goes away takes its
    /// tokens with it, and no longer lets in those who have none.
    pub(super) fn now(&self) -> Result<Option<Arc<[Token]>>, TokenError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = self.stamp().inspect_err(|error| self.tell(error))?;
        if stamp != known.stamp {
            let read = self.file.read().inspect_err(|error| self.tell(error))?;
            let none_left = || known.tokens.is_some().then(Vec::new);
            known.tokens = read.or_else(none_left).map(Into::into);
            known.stamp = stamp;
        }
        Ok(known.tokens.clone())
    }

    fn stamp(&self) -> Result<Option<Stamp>, TokenError> {
        let path = self.file.path();
        match fs::metadata(&path) {
            Ok(found) => Ok(Some((
                found.ino(),
                found.mtime(),
                found.mtime_nsec(),
                found.ctime(),
                found.ctime_nsec(),
                found.size(),
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(TokenError::Io {
                action: "look at",
                path,
                source,
            }),
        }
    }

    fn tell(&self, error: &TokenError) {
        if self.trouble.is_due() {
            tracing::error!("nobody is let in with a token: {error}");
        }
    }
}

/// The one of these tokens that has this digest. Looks at all, so that the time it takes tells nothing.
pub(super) fn find<'a>(tokens: &'a [Token], digest: &Digest) -> Option<&'a Token> {
    tokens.iter().fold(None, |found, token| {
        let matches = token.digest.matches(digest);
        if matches { Some(token) } else { found }
    })
}

#[cfg(test)]
mod tests {
    use condotta_protocol::Role;

    use super::*;
    use crate::access::NewToken;

    #[test]
    fn changes_are_seen_and_a_lost_file_lets_nobody_in() {
        let home = tempfile::tempdir().unwrap();
        let file = TokenFile::of(home.path());
        let tokens = Tokens::of(home.path());
        assert!(tokens.now().unwrap().is_none());
        let new = NewToken {
            name: "a".to_owned(),
            role: Role::Viewer,
            lasts_secs: Some(5),
        };
        let (_, secret) = file.create(&new).unwrap();
        let digest = Digest::of(&secret);
        let is_known = || {
            let now = tokens.now().unwrap().expect("there was a token");
            find(&now, &digest).is_some()
        };
        assert!(is_known());
        file.revoke("a").unwrap();
        assert!(!is_known());
        fs::remove_file(file.path()).unwrap();
        assert!(!is_known());
        fs::write(file.path(), "{").unwrap();
        assert!(tokens.now().is_err());
    }
}
