//! Unsent mail on disk, a file for each, so that it survives the server.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use condotta_mail::Mail;
use serde::{Deserialize, Serialize};

/// The folder within the directory of the state.
const FOLDER: &str = "mail";

/// A mail that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Unsent {
    pub(super) mail: Mail,
    /// When it came up, as the wall's clock has it.
    pub(super) since: SystemTime,
    /// Its place on disk, if it has one.
    pub(super) path: Option<PathBuf>,
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// Seconds since 1970.
    since: u64,
    sender: String,
    recipients: Vec<String>,
    subject: String,
    body: String,
    is_html: bool,
}

const VERSION: u32 = 1;

/// The folder of unsent mail.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    next: u64,
}

impl Spool {
    /// The spool in this directory of a state, which need not be there yet.
    pub(super) fn new(home: &Path) -> Self {
        Self {
            folder: home.join(FOLDER),
            next: 0,
        }
    }

    /// What an earlier server left, the oldest first. What cannot be read is named in the log and left alone.
    pub(super) fn read(&mut self) -> Vec<Unsent> {
        let mut found: Vec<(u64, Unsent)> = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                tracing::warn!(
                    "cannot read unsent mail in {}: {error}",
                    self.folder.display()
                );
                return Vec::new();
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let number = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            let (Some(number), Some("json")) = (number, extension(&path)) else {
                continue;
            };
            self.next = self.next.max(number + 1);
            match read(&path) {
                Ok(unsent) => found.push((number, unsent)),
                Err(error) => tracing::warn!("cannot read unsent mail {}: {error}", path.display()),
            }
        }
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, unsent)| unsent).collect()
    }

    /// Keeps a mail.
    pub(super) fn put(&mut self, unsent: &mut Unsent) -> io::Result<()> {
        let since = unsent.since.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mail = &unsent.mail;
        let stored = Stored {
            version: VERSION,
            since: since.as_secs(),
            sender: mail.sender.clone(),
            recipients: mail.recipients.clone(),
            subject: mail.subject.clone(),
            body: mail.body.clone(),
            is_html: mail.is_html,
        };
        let text = serde_json::to_vec(&stored).map_err(io::Error::other)?;
        if !self.folder.is_dir() {
            make_folder(&self.folder)?;
        }
        let path = self.folder.join(format!("{:06}.json", self.next));
        let temporary = path.with_extension("tmp");
        fs::write(&temporary, text)?;
        fs::rename(&temporary, &path)?;
        self.next += 1;
        unsent.path = Some(path);
        Ok(())
    }
}

impl Unsent {
    pub(super) fn new(mail: Mail) -> Self {
        Self {
            mail,
            since: SystemTime::now(),
            path: None,
        }
    }

    /// It is sent, or given up.
    pub(super) fn forget(&self) {
        if let Some(path) = &self.path
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!("cannot remove sent mail {}: {error}", path.display());
        }
    }
}

/// Only the server's user reads what tasks say.
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn read(path: &Path) -> io::Result<Unsent> {
    let stored: Stored = serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)?;
    if stored.version != VERSION {
        let text = format!(
            "it has version {}, this server knows {VERSION}",
            stored.version
        );
        return Err(io::Error::other(text));
    }
    Ok(Unsent {
        mail: Mail {
            sender: stored.sender,
            recipients: stored.recipients,
            subject: stored.subject,
            body: stored.body,
            is_html: stored.is_html,
        },
        since: UNIX_EPOCH + Duration::from_secs(stored.since),
        path: Some(path.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent(subject: &str) -> Unsent {
        Unsent::new(Mail {
            sender: "a@b".to_owned(),
            recipients: vec!["c@d".to_owned()],
            subject: subject.to_owned(),
            body: "text".to_owned(),
            is_html: false,
        })
    }

    #[test]
    fn unsent_mail_is_there_after_a_restart_in_its_order() {
        let home = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::new(home.path());
        assert!(spool.read().is_empty());
        for subject in ["first", "second"] {
            spool.put(&mut unsent(subject)).expect("there is room");
        }
        fs::write(home.path().join("mail/000007.json"), "{").expect("there is room");
        let mut again = Spool::new(home.path());
        let found = again.read();
        let subjects: Vec<&str> = found.iter().map(|it| it.mail.subject.as_str()).collect();
        assert_eq!(subjects, ["first", "second"]);
        found[0].forget();
        let mut third = unsent("third");
        again.put(&mut third).expect("there is room");
        assert!(third.path.expect("it is kept").ends_with("000008.json"));
        assert_eq!(Spool::new(home.path()).read().len(), 2);
    }
}
