//! What is at a URL, as a target that is only read.

use std::{
    fmt,
    io::{self, BufReader, Read},
    ops::Range,
    path::Path,
};

use super::{
    client::{Page, refused},
    fetch::{Answer, Fetch, Validator, header},
};
use crate::{
    Format, ReadWrite, Reader, Target, TargetError, Writer, location::Secret,
    remote::retry::retried,
};

const BUFFER: usize = 64 * 1024;

/// A page of a web server. It is there or not, and is read, but not written.
///
/// ```no_run
/// use condotta_targets::{HttpTarget, ReadWrite, Target};
///
/// let months = HttpTarget::new("https://weather.example.com/months.csv.gz").format_by_extension();
/// if months.exists()? {
///     for line in months.lines()? {
///         println!("{}", line?);
///     }
/// }
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
#[derive(Clone)]
pub struct HttpTarget {
    page: Page,
    format: Format,
}

impl HttpTarget {
    /// The page at a URL `https://user:password@host/path`; a login is sent along.
    pub fn new(url: impl AsRef<str>) -> Self {
        Self {
            page: Page::new(url.as_ref()),
            format: Format::Plain,
        }
    }

    /// Sends a header along, whose value is never shown.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.page.header(name.into(), Secret::new(value));
        self
    }

    /// How the content is stored.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Takes the content as the URL says: `.gz`, `.bz2`, `.zst`, `.xz`, else as it is.
    pub fn format_by_extension(self) -> Self {
        let format = Format::of_extension(Path::new(self.page.path()));
        self.format(format)
    }

    /// Some of the bytes as they are stored, whatever the format. Past the end there are none.
    ///
    /// # Errors
    /// There is no page, or it cannot be read in part.
    pub fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, TargetError> {
        self.bytes_of(range).map_err(TargetError::io("read", self))
    }

    fn bytes_of(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let asked = ("range", format!("bytes={}-{}", range.start, range.end - 1));
        retried(self.page.shown(), || {
            let response = self.page.ask(false, std::slice::from_ref(&asked))?;
            match response.status().as_u16() {
                206 => {
                    let mut bytes = Vec::new();
                    response.into_body().into_reader().read_to_end(&mut bytes)?;
                    Ok(bytes)
                }
                // There is nothing from there on.
                416 => Ok(Vec::new()),
                200 => Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "the server has no ranges; read it from the start",
                )),
                _ => Err(refused(response.status())),
            }
        })
    }

    /// Asks for the headers; servers that refuse that are asked for the page.
    fn look(&self) -> io::Result<bool> {
        retried(self.page.shown(), || {
            let mut response = self.page.ask(true, &[])?;
            if matches!(response.status().as_u16(), 405 | 501) {
                response = self.page.ask(false, &[])?;
            }
            match response.status() {
                status if status.is_success() => Ok(true),
                status => match refused(status) {
                    error if error.kind() == io::ErrorKind::NotFound => Ok(false),
                    error => Err(error),
                },
            }
        })
    }

    /// The size in bytes as the server says it.
    ///
    /// # Errors
    /// There is no page, or the server does not say.
    pub fn size(&self) -> Result<u64, TargetError> {
        let size = retried(self.page.shown(), || {
            let response = self.page.ask(true, &[])?;
            if !response.status().is_success() {
                return Err(refused(response.status()));
            }
            let length = header(&response, "content-length").and_then(|text| text.parse().ok());
            length.ok_or_else(|| io::Error::other("the server does not say how long it is"))
        });
        size.map_err(TargetError::io("look for", self))
    }
}

impl Target for HttpTarget {
    fn exists(&self) -> Result<bool, TargetError> {
        self.look().map_err(TargetError::io("look for", self))
    }
}

impl ReadWrite for HttpTarget {
    fn reader(&self) -> Result<Reader, TargetError> {
        let none = None::<&Validator>;
        match Fetch::start(&self.page, none).map_err(TargetError::io("read", self))? {
            Answer::Content(content) => {
                let content = BufReader::with_capacity(BUFFER, content);
                Reader::new(self.to_string(), self.format, content)
            }
            Answer::Unchanged => Err(TargetError::io("read", self)(io::Error::other(
                "the server says that it is unchanged, though nothing is known of it",
            ))),
        }
    }

    /// Always an error: what is at a URL is not written.
    fn writer(&self) -> Result<Writer, TargetError> {
        Err(TargetError::io("write", self)(io::Error::new(
            io::ErrorKind::Unsupported,
            "what is on a web server is only read",
        )))
    }
}

impl fmt::Display for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page.shown())
    }
}

impl fmt::Debug for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpTarget")
            .field(&self.page.shown())
            .finish()
    }
}
