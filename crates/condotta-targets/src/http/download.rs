//! The download of a page to any target: whole, checked, and no more often than needed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::{
    client::Page,
    fetch::{Answer, CHANGED, Fetch, Validator},
    note::{Note, Sum, beside, gone},
};
use crate::{ReadWrite, TargetError, location::Secret};

/// How often a download begins anew when the content changes under it.
const STARTS: usize = 3;
const BUFFER: usize = 128 * 1024;

/// Downloads what is at a URL, like `wget`, but all or nothing.
///
/// A connection that breaks is made again and goes on where it broke off; what fails for a while is tried
/// again, with longer and longer waits. The target has the content when all of it is there and its
/// checksum is right, and not before.
///
/// ```no_run
/// use condotta_targets::{Download, LocalTarget};
///
/// let page = Download::new("https://weather.example.com/months.csv")
///     .sha256("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
///     .progress(|progress| println!("{:?} %", progress.percent()));
/// page.to(&LocalTarget::new("data/months.csv"))?;
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub struct Download<'a> {
    page: Page,
    sha256: Option<String>,
    partial: Option<PathBuf>,
    note: Option<PathBuf>,
    progress: Option<Box<dyn Fn(Progress) + 'a>>,
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The bytes that are there.
    pub bytes: u64,
    /// The bytes that there will be, where the server says so.
    pub total: Option<u64>,
}

impl Progress {
    /// How much is there, of a hundred. `None`: the server does not say how much there is.
    pub fn percent(&self) -> Option<f64> {
        let total = self.total?;
        if total == 0 {
            return Some(100.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "a percentage need not be exact")]
        Some(100.0 * self.bytes as f64 / total as f64)
    }
}

/// What became of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Downloaded {
    /// The target has new content.
    New {
        /// Its length.
        bytes: u64,
        /// Its SHA-256, in hexadecimal digits.
        sha256: String,
    },
    /// The target has what is at the URL already.
    Unchanged,
}

impl<'a> Download<'a> {
    /// A download of a URL `https://user:password@host/path`; a login is sent along.
    pub fn new(url: impl AsRef<str>) -> Self {
        Self {
            page: Page::new(url.as_ref()),
            sha256: None,
            partial: None,
            note: None,
            progress: None,
        }
    }

    /// Sends a header along, whose value is never shown.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.page.header(name.into(), Secret::new(value));
        self
    }

    /// The SHA-256 that the content has to have, in hexadecimal digits.
    pub fn sha256(mut self, digits: impl Into<String>) -> Self {
        self.sha256 = Some(digits.into().trim().to_ascii_lowercase());
        self
    }

    /// Keeps what there is of the content in a file of this machine until it is complete. A later
    /// download, as of the next attempt, goes on from there if the content is still the same.
    pub fn partial(mut self, path: impl Into<PathBuf>) -> Self {
        self.partial = Some(path.into());
        self
    }

    /// Keeps in a file of this machine what the server says of the content (ETag, Last-Modified). As long
    /// as that has not changed and the target exists, nothing is downloaded.
    pub fn unless_unchanged(mut self, note: impl Into<PathBuf>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Called as the download goes on, about a hundred times at most where the length is known.
    pub fn progress(mut self, see: impl Fn(Progress) + 'a) -> Self {
        self.progress = Some(Box::new(see));
        self
    }

    /// Downloads to a target, which then has all of the content; otherwise it is as it was.
    ///
    /// # Errors
    /// The page cannot be read, its checksum is another or is to be something that is none, or the target cannot
    /// be written.
    pub fn to(&self, target: &impl ReadWrite) -> Result<Downloaded, TargetError> {
        self.check_wanted()
            .map_err(TargetError::io("download", self.page.shown()))?;
        let note = self
            .note
            .as_ref()
            .map(|path| Note::new(path, &self.page.wire()));
        let known = match &note {
            Some(note) if target.exists()? => note.read(),
            _ => None,
        };
        for _ in 1..STARTS {
            match self.once(target, known.as_ref(), note.as_ref()) {
                Err(Failure::Changed) => {}
                result => return result.map_err(|failure| self.error(failure)),
            }
        }
        self.once(target, known.as_ref(), note.as_ref())
            .map_err(|failure| self.error(failure))
    }

    /// Before anything is asked for: a checksum that is none would be found out after the last byte.
    fn check_wanted(&self) -> io::Result<()> {
        match &self.sha256 {
            Some(digits) if !is_sha256(digits) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "it is to have the SHA-256 `{digits}`, but a SHA-256 has {SHA256_DIGITS} hexadecimal digits"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn once(
        &self,
        target: &impl ReadWrite,
        known: Option<&Validator>,
        note: Option<&Note>,
    ) -> Result<Downloaded, Failure> {
        let got = match &self.partial {
            Some(path) => self.through(path, target, known)?,
            None => self.straight(target, known)?,
        };
        let Some((downloaded, validator)) = got else {
            return Ok(Downloaded::Unchanged);
        };
        if let Some(note) = note {
            note.write(&validator)?;
        }
        Ok(downloaded)
    }

    /// From the server into the target.
    fn straight(
        &self,
        target: &impl ReadWrite,
        known: Option<&Validator>,
    ) -> Result<Option<(Downloaded, Validator)>, Failure> {
        let Answer::Content(mut content) = Fetch::start(&self.page, known)? else {
            return Ok(None);
        };
        let mut writer = target.writer()?;
        let sum = self.pass_on(&mut content, &mut writer, Sum::new())?;
        let downloaded = self.checked(content.at, sum)?;
        writer.commit()?;
        Ok(Some((downloaded, content.validator)))
    }

    /// From the server into a file that is kept when it is not complete, and from there into the target.
    fn through(
        &self,
        path: &Path,
        target: &impl ReadWrite,
        known: Option<&Validator>,
    ) -> Result<Option<(Downloaded, Validator)>, Failure> {
        let part = Note::new(beside(path), &self.page.wire());
        let resumed = self.resumed(path, &part)?;
        let (mut content, sum) = match resumed {
            Some(resumed) => resumed,
            None => match Fetch::start(&self.page, known)? {
                Answer::Content(content) => (*content, Sum::new()),
                Answer::Unchanged => return Ok(None),
            },
        };
        let of_file = |action| TargetError::io(action, path.display());
        let mut file = open(path, content.at).map_err(of_file("write"))?;
        part.write(&content.validator)?;
        let sum = self.pass_on(&mut content, &mut file, sum);
        let sum = sum.map_err(|failure| failure.at(path))?;
        file.sync_all().map_err(of_file("write"))?;
        let downloaded = self.checked(content.at, sum);
        if downloaded.is_ok() {
            let mut writer = target.writer()?;
            let mut whole = File::open(path).map_err(of_file("read"))?;
            io::copy(&mut whole, &mut writer).map_err(Failure::Write)?;
            writer.commit()?;
        }
        // What is complete is in the target, and what is wrong is no beginning of anything.
        gone(fs::remove_file(path)).map_err(of_file("remove"))?;
        part.remove()?;
        Ok(Some((downloaded?, content.validator)))
    }

    /// The rest of a content whose beginning is in a file, with the checksum of the beginning.
    fn resumed(&self, path: &Path, part: &Note) -> Result<Option<(Fetch, Sum)>, Failure> {
        let (Some(validator), Ok(mut file)) = (part.read(), File::open(path)) else {
            return Ok(None);
        };
        let mut sum = Sum::new();
        let mut length = 0;
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = file.read(&mut buffer);
            match read.map_err(TargetError::io("read", path.display()))? {
                0 => break,
                read => {
                    sum.add(&buffer[..read]);
                    length += read as u64;
                }
            }
        }
        if length == 0 {
            return Ok(None);
        }
        match Fetch::resume(&self.page, length, &validator) {
            Ok(content) => Ok(content.map(|content| (content, sum))),
            // There is nothing after what one has: it may be all, or more than all.
            Err(error) if error.kind() == io::ErrorKind::Other => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn pass_on(
        &self,
        content: &mut Fetch,
        to: &mut impl Write,
        mut sum: Sum,
    ) -> Result<Sum, Failure> {
        let mut buffer = vec![0; BUFFER];
        let mut told = None;
        loop {
            let now = Progress {
                bytes: content.at,
                total: content.total,
            };
            if let Some(see) = &self.progress {
                let step = now
                    .percent()
                    .map_or(now.bytes >> 20, |percent| percent as u64);
                if told != Some(step) {
                    told = Some(step);
                    see(now);
                }
            }
            match content.read(&mut buffer)? {
                0 => return Ok(sum),
                read => {
                    sum.add(&buffer[..read]);
                    to.write_all(&buffer[..read]).map_err(Failure::Write)?;
                }
            }
        }
    }

    fn checked(&self, bytes: u64, sum: Sum) -> Result<Downloaded, Failure> {
        let sha256 = sum.hex();
        match &self.sha256 {
            Some(expected) if *expected != sha256 => Err(Failure::Read(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("its SHA-256 is {sha256}, and not {expected}"),
            ))),
            _ => Ok(Downloaded::New { bytes, sha256 }),
        }
    }

    fn error(&self, failure: Failure) -> TargetError {
        match failure {
            Failure::Read(error) => TargetError::io("download", self.page.shown())(error),
            Failure::Changed => TargetError::io("download", self.page.shown())(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{CHANGED}; it was begun {STARTS} times"),
            )),
            Failure::Write(error) => match error.downcast::<TargetError>() {
                Ok(error) => error,
                Err(error) => TargetError::io("download", self.page.shown())(error),
            },
            Failure::Target(error) => error,
        }
    }
}

/// The file of a content's beginning, to write what follows.
fn open(path: &Path, at: u64) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    file.set_len(at)?;
    Ok(file)
}

const SHA256_DIGITS: usize = 64;

fn is_sha256(digits: &str) -> bool {
    digits.len() == SHA256_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Why a download did not come to its end.
enum Failure {
    /// The content changed under it: from the start.
    Changed,
    Read(io::Error),
    Write(io::Error),
    Target(TargetError),
}

impl Failure {
    /// What was written to is a file of this machine.
    fn at(self, path: &Path) -> Self {
        match self {
            Self::Write(error) => Self::Target(TargetError::io("write", path.display())(error)),
            failure => failure,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData if error.to_string() == CHANGED => Self::Changed,
            _ => Self::Read(error),
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}
