//! Content as a stream, which goes on where it broke off as long as it is the same content.

use std::io::{self, Read};

use ureq::{
    Body,
    http::{Response, StatusCode},
};

use super::client::{Page, refused};
use crate::remote::retry::{passes, retried};

/// By what one content is told from another at the same URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Validator {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl Validator {
    fn of(response: &Response<Body>) -> Self {
        Self {
            etag: header(response, "etag"),
            last_modified: header(response, "last-modified"),
        }
    }

    /// What is compared to go on in the middle: a weak ETag is not enough.
    fn strong(&self) -> Option<&String> {
        let strong = self.etag.as_ref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_ref())
    }

    fn is_same(&self, other: &Self) -> bool {
        self.strong().is_some() && self.strong() == other.strong()
    }
}

/// Content that is being read.
pub(super) struct Fetch {
    page: Page,
    body: Box<dyn Read + Send>,
    /// How much has been read, from the content's first byte.
    pub(super) at: u64,
    /// The content's length, where the server says it.
    pub(super) total: Option<u64>,
    pub(super) validator: Validator,
    /// Content of unknown length has no end that could be missed.
    ended: bool,
}

/// What a server answers.
pub(super) enum Answer {
    Content(Box<Fetch>),
    /// It is what one has.
    Unchanged,
}

impl Fetch {
    /// Asks for content, unless it is still the one of `known`.
    pub(super) fn start(page: &Page, known: Option<&Validator>) -> io::Result<Answer> {
        let mut extra = Vec::new();
        if let Some(known) = known {
            let etag = known.etag.clone().map(|etag| ("if-none-match", etag));
            let since = known
                .last_modified
                .clone()
                .map(|time| ("if-modified-since", time));
            extra.extend(etag.or(since));
        }
        let response = retried(page.shown(), || ask(page, &extra))?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answer::Unchanged);
        }
        Ok(Answer::Content(Box::new(Self::of(page, response))))
    }

    /// Goes on with content of which one has the first bytes. `None`: it is another by now, or the
    /// server cannot go on in the middle.
    pub(super) fn resume(page: &Page, at: u64, known: &Validator) -> io::Result<Option<Self>> {
        let response = retried(page.shown(), || from_byte(page, at, known))?;
        let mut fetch = Self::of(page, response);
        Ok(match fetch.is_at(at, known) {
            true => {
                fetch.at = at;
                Some(fetch)
            }
            false => None,
        })
    }

    fn of(page: &Page, response: Response<Body>) -> Self {
        let partial = response.status() == StatusCode::PARTIAL_CONTENT;
        let total = match partial {
            true => header(&response, "content-range").and_then(|range| {
                range
                    .rsplit_once('/')
                    .and_then(|(_, total)| total.parse().ok())
            }),
            false => header(&response, "content-length").and_then(|length| length.parse().ok()),
        };
        let at = match partial {
            true => header(&response, "content-range").and_then(|range| first_byte(&range)),
            false => Some(0),
        };
        Self {
            page: page.clone(),
            validator: Validator::of(&response),
            total,
            at: at.unwrap_or_default(),
            body: Box::new(
                response
                    .into_body()
                    .into_with_config()
                    .limit(u64::MAX)
                    .reader(),
            ),
            ended: false,
        }
    }

    /// Whether the answer goes on at a byte of the same content.
    fn is_at(&self, at: u64, known: &Validator) -> bool {
        self.at == at && (at == 0 || self.validator.is_same(known))
    }

    /// Opens the rest again, after the connection broke.
    fn reopen(&mut self) -> io::Result<()> {
        let response = from_byte(&self.page, self.at, &self.validator)?;
        let rest = Self::of(&self.page, response);
        if !rest.is_at(self.at, &self.validator) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, CHANGED));
        }
        self.body = rest.body;
        Ok(())
    }

    fn some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer).map_err(broken)?;
        if read == 0 && self.total.is_some_and(|total| self.at < total) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection ended before the content did",
            ));
        }
        Ok(read)
    }
}

/// Said when content cannot be continued.
pub(super) const CHANGED: &str = "the connection broke, and the server cannot go on where it did: the content is another by now, or it has neither ETag nor ranges";

impl Read for Fetch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let read = match self.some(buffer) {
            Err(error) if passes(&error) => retried(self.page.shown(), || {
                self.reopen()?;
                self.some(buffer)
            })?,
            read => read?,
        };
        self.ended = read == 0;
        self.at += read as u64;
        Ok(read)
    }
}

fn from_byte(page: &Page, at: u64, known: &Validator) -> io::Result<Response<Body>> {
    let mut extra = vec![("range", format!("bytes={at}-"))];
    extra.extend(known.strong().map(|value| ("if-range", value.clone())));
    ask(page, &extra)
}

fn ask(page: &Page, extra: &[(&str, String)]) -> io::Result<Response<Body>> {
    let response = page.ask(false, extra)?;
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    Err(refused(status))
}

/// What a body says of its connection.
fn broken(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Other => io::Error::new(io::ErrorKind::ConnectionReset, error),
        _ => error,
    }
}

pub(super) fn header(response: &Response<Body>, name: &str) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// The first of `bytes 5-9/10`.
fn first_byte(range: &str) -> Option<u64> {
    let bytes = range.trim().strip_prefix("bytes")?.trim_start();
    bytes.split_once('-')?.0.parse().ok()
}
