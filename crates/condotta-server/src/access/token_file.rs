//! The tokens of a scheduler: `tokens.json` in its state directory.
//!
//! Commands write it, also while the server runs, which reads it again when it has changed. Only
//! digests of tokens are in it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use condotta_protocol::Role;
use serde::{Deserialize, Serialize};

use super::secret::{Digest, NoRandomness, new_secret};
use crate::state::{StateError, make_directory, owned_as};

/// The file's name.
pub(crate) const TOKENS_FILE: &str = "tokens.json";
/// Where it is written until it is whole.
pub(crate) const TEMPORARY_FILE: &str = "tokens.json.tmp";
/// Locked by whoever writes.
pub(crate) const LOCK_FILE: &str = "tokens.lock";
/// The format that is written and read.
const VERSION: u32 = 1;
/// The longest name.
const MAX_NAME: usize = 100;

/// A token, without its secret. Times are seconds since 1970.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Who has it, in the operator's words; no two have the same.
    pub name: String,
    /// What it permits.
    pub role: Role,
    /// When it was made.
    pub created: u64,
    /// From when on it is of no use.
    pub expires: Option<u64>,
    pub(super) digest: Digest,
}

impl Token {
    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Who gets it.
    pub name: String,
    /// What it permits.
    pub role: Role,
    /// For how many seconds it is good; for ever without.
    pub lasts_secs: Option<u64>,
}

/// Why tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file system refuses.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The directory cannot be had.
    #[error(transparent)]
    Directory(#[from] StateError),
    /// The file is not what this version writes.
    #[error("{} is no list of tokens of this version: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A name that is no name.
    #[error(
        "`{0}` is no name for a token: write 1 to 100 letters, digits and any of `-`, `_`, `.`, `@`"
    )]
    BadName(String),
    /// A name twice.
    #[error("there is a token `{0}` already: choose another name, or revoke it first")]
    Exists(String),
    /// Nothing to revoke.
    #[error("there is no token `{0}`: condotta token list shows them")]
    Unknown(String),
    /// Nothing to make a secret of.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    tokens: Vec<StoredToken>,
}

#[derive(Serialize, Deserialize)]
struct StoredToken {
    name: String,
    role: String,
    sha256: String,
    created: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
}

/// The tokens of one state directory.
#[derive(Clone, Debug)]
pub struct TokenFile {
    directory: PathBuf,
}

impl TokenFile {
    /// Of a directory that need not be there yet.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.to_owned(),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(TOKENS_FILE)
    }

    /// All tokens in the order in which they were made; `None` if there never was one, which is
    /// what an absent file says.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Option<Vec<Token>>, TokenError> {
        let path = self.path();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed("read", &path, source)),
        };
        parse(&text)
            .map(Some)
            .map_err(|reason| TokenError::Unreadable { path, reason })
    }

    /// Makes a token, and its secret, which is in no other place than in what this returns.
    ///
    /// # Errors
    ///
    /// When the name is taken or none, or the file cannot be written.
    pub fn create(&self, new: &NewToken) -> Result<(Token, String), TokenError> {
        if !is_name(&new.name) {
            let shown = new.name.chars().take(MAX_NAME).collect();
            return Err(TokenError::BadName(shown));
        }
        let secret = new_secret()?;
        let created = now();
        let token = Token {
            name: new.name.clone(),
            role: new.role,
            created,
            expires: new.lasts_secs.map(|secs| created.saturating_add(secs)),
            digest: Digest::of(&secret),
        };
        self.change(|tokens| {
            if tokens.iter().any(|other| other.name == token.name) {
                return Err(TokenError::Exists(token.name.clone()));
            }
            tokens.push(token.clone());
            Ok(())
        })?;
        Ok((token, secret))
    }

    /// Makes a token useless, from the next request on.
    ///
    /// # Errors
    ///
    /// When there is none of that name, or the file cannot be written.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        self.change(|tokens| {
            let count = tokens.len();
            tokens.retain(|token| token.name != name);
            if tokens.len() == count {
                return Err(TokenError::Unknown(name.to_owned()));
            }
            Ok(())
        })
    }

    /// Reads, changes and writes the tokens while nobody else does.
    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Token>) -> Result<(), TokenError>,
    ) -> Result<(), TokenError> {
        make_directory(&self.directory)?;
        let lock_path = self.directory.join(LOCK_FILE);
        let lock = self.open(&lock_path, "open")?;
        let locked = lock.lock();
        locked.map_err(|source| failed("lock", &lock_path, source))?;
        let mut tokens = self.read()?.unwrap_or_default();
        change(&mut tokens)?;
        self.write(&tokens)
    }

    fn write(&self, tokens: &[Token]) -> Result<(), TokenError> {
        let path = self.path();
        let temporary = self.directory.join(TEMPORARY_FILE);
        let mut file = self.open(&temporary, "create")?;
        let put = |file: &mut File| {
            file.set_len(0)?;
            file.write_all(&text(tokens))?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        put(&mut file).map_err(|source| failed("write", &path, source))
    }

    /// Opens a file that only the directory's owner may read.
    fn open(&self, path: &Path, action: &'static str) -> Result<File, TokenError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path);
        let owned = file.and_then(|file| owned_as(&self.directory, path, file));
        owned.map_err(|source| failed(action, path, source))
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> TokenError {
    TokenError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    (1..=MAX_NAME).contains(&text.len()) && text.chars().all(is_plain)
}

fn text(tokens: &[Token]) -> Vec<u8> {
    let stored = |token: &Token| StoredToken {
        name: token.name.clone(),
        role: token.role.name().to_owned(),
        sha256: token.digest.to_text(),
        created: token.created,
        expires: token.expires,
    };
    let stored = Stored {
        version: VERSION,
        tokens: tokens.iter().map(stored).collect(),
    };
    let mut text = serde_json::to_vec_pretty(&stored).expect("names, numbers and texts");
    text.push(b'\n');
    text
}

fn parse(text: &[u8]) -> Result<Vec<Token>, String> {
    let stored: Stored = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if stored.version != VERSION {
        return Err(format!("it has version {}", stored.version));
    }
    let token = |stored: StoredToken| {
        let role = stored.role.parse();
        Ok(Token {
            role: role.map_err(|error| format!("token `{}`: {error}", stored.name))?,
            digest: Digest::from_text(&stored.sha256)
                .ok_or_else(|| format!("token `{}` has no digest", stored.name))?,
            name: stored.name,
            created: stored.created,
            expires: stored.expires,
        })
    };
    stored.tokens.into_iter().map(token).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn new(name: &str) -> NewToken {
        NewToken {
            name: name.to_owned(),
            role: Role::Worker,
            lasts_secs: None,
        }
    }

    #[test]
    fn what_is_kept_tells_no_secret_and_is_the_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let file = TokenFile::of(&home.path().join("state"));
        assert!(file.read().unwrap().is_none());
        let (_, secret) = file.create(&new("ci")).unwrap();
        let kept = fs::read_to_string(file.path()).unwrap();
        assert!(!kept.contains(&secret[9..]), "{kept}");
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let tokens = file.read().unwrap().unwrap();
        assert!(tokens[0].digest.matches(&Digest::of(&secret)));
        assert_eq!((tokens[0].role, tokens[0].expires), (Role::Worker, None));
    }

    #[test]
    fn the_last_one_gone_leaves_a_list_without_any() {
        let home = tempfile::tempdir().unwrap();
        let file = TokenFile::of(home.path());
        file.create(&new("a")).unwrap();
        let again = file.create(&new("a")).err().unwrap();
        assert!(matches!(again, TokenError::Exists(_)), "{again}");
        file.revoke("a").unwrap();
        assert!(matches!(file.revoke("a"), Err(TokenError::Unknown(_))));
        assert!(file.read().unwrap().is_some_and(|tokens| tokens.is_empty()));
    }

    #[test]
    fn commands_at_the_same_time_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        let file = TokenFile::of(home.path());
        std::thread::scope(|scope| {
            for index in 0..8 {
                let file = &file;
                scope.spawn(move || file.create(&new(&format!("t{index}"))).unwrap());
            }
        });
        assert_eq!(file.read().unwrap().unwrap().len(), 8);
    }

    #[test]
    fn names_are_plain() {
        let home = tempfile::tempdir().unwrap();
        let file = TokenFile::of(home.path());
        for wrong in ["", "a b", "a/b", "ü", &"x".repeat(101)] {
            let error = file.create(&new(wrong)).err().unwrap();
            assert!(matches!(error, TokenError::BadName(_)), "{error}");
        }
        file.create(&new("team-a@build_7.example")).unwrap();
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = TokenFile::of(home.path());
        for (text, said) in [
            ("", "EOF"),
            (r#"{"version": 2, "tokens": []}"#, "version 2"),
            (
                r#"{"version": 1, "tokens": [{"name": "a", "role": "king", "sha256": "", "created": 1}]}"#,
                "token `a`: there is no such role",
            ),
        ] {
            fs::write(file.path(), text).unwrap();
            let error = file.read().err().unwrap().to_string();
            assert!(error.contains(said), "{error}");
            assert!(file.create(&new("b")).is_err(), "nothing is overwritten");
        }
    }
}
