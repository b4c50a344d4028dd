//! Reading and writing, the same for all targets that hold content.
//!
//! A target gives a [`Reader`] and a [`Writer`]; everything else is made of them here. Nothing is
//! written until the writer is committed.

use std::{
    any,
    fmt::{self, Display},
    io::{self, BufRead, Read, Write},
    str::FromStr,
};

use crate::{BoxError, Format, Target, TargetError, format::Encoder};

/// A target with content.
pub trait ReadWrite: Target {
    /// Opens the content for reading, as a stream.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    fn reader(&self) -> Result<Reader, TargetError>;

    /// Starts new content, as a stream. Call [`Writer::commit`] at its end.
    ///
    /// # Errors
    /// The target cannot be written.
    fn writer(&self) -> Result<Writer, TargetError>;

    /// Makes `value` the content.
    ///
    /// # Errors
    /// The target cannot be written; it is as it was.
    fn write(&self, value: impl Display) -> Result<(), TargetError>
    where
        Self: Sized,
    {
        let mut writer = self.writer()?;
        write!(writer, "{value}").map_err(TargetError::io("write", self))?;
        writer.commit()
    }

    /// Makes `bytes` the content.
    ///
    /// # Errors
    /// The target cannot be written; it is as it was.
    fn write_bytes(&self, bytes: impl AsRef<[u8]>) -> Result<(), TargetError>
    where
        Self: Sized,
    {
        let mut writer = self.writer()?;
        let written = writer.write_all(bytes.as_ref());
        written.map_err(TargetError::io("write", self))?;
        writer.commit()
    }

    /// Makes what `fill` writes the content. When `fill` fails or panics, nothing is written.
    ///
    /// # Errors
    /// `fill` failed, or the target cannot be written; it is as it was.
    fn write_with<T>(
        &self,
        fill: impl FnOnce(&mut Writer) -> Result<T, BoxError>,
    ) -> Result<T, TargetError>
    where
        Self: Sized,
    {
        let mut writer = self.writer()?;
        let value = fill(&mut writer).map_err(|source| TargetError::Fill {
            target: self.to_string(),
            source,
        })?;
        writer.commit()?;
        Ok(value)
    }

    /// The content as a value. White space around a value that is not text does not count.
    ///
    /// # Errors
    /// There is no content, or it is no `T`: the error then names both.
    fn read<T>(&self) -> Result<T, TargetError>
    where
        Self: Sized,
        T: FromStr,
        T::Err: Into<BoxError>,
    {
        let text = self.read_to_string()?;
        // As it is first: to text, its last newline is content.
        let parsed = text.parse().or_else(|_| text.trim().parse());
        parsed.map_err(|error: T::Err| TargetError::Content {
            target: self.to_string(),
            expected: any::type_name::<T>(),
            content: beginning(&text),
            source: error.into(),
        })
    }

    /// The content as text.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it is not UTF-8.
    fn read_to_string(&self) -> Result<String, TargetError> {
        let bytes = self.read_bytes()?;
        String::from_utf8(bytes).map_err(|error| {
            let (place, bytes) = (error.utf8_error(), error.as_bytes());
            TargetError::Content {
                target: self.to_string(),
                expected: "text in UTF-8",
                content: beginning(&String::from_utf8_lossy(&bytes[..bytes.len().min(200)])),
                source: place.into(),
            }
        })
    }

    /// The content's bytes.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    fn read_bytes(&self) -> Result<Vec<u8>, TargetError> {
        let mut bytes = Vec::new();
        let mut reader = self.reader()?;
        let read = reader.source.read_to_end(&mut bytes);
        read.map_err(TargetError::io("read", &reader.target))?;
        Ok(bytes)
    }

    /// The content's lines, without their ends, read as they are asked for.
    ///
    /// # Errors
    /// There is no content, or it cannot be opened.
    fn lines(&self) -> Result<Lines, TargetError> {
        Ok(Lines {
            reader: self.reader()?,
        })
    }
}

/// How a content begins, for a message.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A target's content as a stream. Its errors name the target.
pub struct Reader {
    source: Box<dyn BufRead + Send>,
    target: String,
}

impl Reader {
    pub(crate) fn new(
        target: String,
        format: Format,
        source: impl BufRead + Send + 'static,
    ) -> Result<Self, TargetError> {
        match format.decoder(source) {
            Ok(source) => Ok(Self { source, target }),
            Err(source) => Err(TargetError::io("read", target)(source)),
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer);
        read.map_err(|source| named("read", &self.target, source))
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let filled = self.source.fill_buf();
        filled.map_err(|source| named("read", &self.target, source))
    }

    fn consume(&mut self, amount: usize) {
        self.source.consume(amount);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reader").field(&self.target).finish()
    }
}

/// The lines of a target.
#[derive(Debug)]
pub struct Lines {
    reader: Reader,
}

impl Iterator for Lines {
    type Item = Result<String, TargetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = String::new();
        match self.reader.source.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                if line.ends_with('\n') {
                    line.pop();
                    if line.ends_with('\r') {
                        line.pop();
                    }
                }
                Some(Ok(line))
            }
            Err(source) => Some(Err(TargetError::io("read", &self.reader.target)(source))),
        }
    }
}

/// Where a writer's bytes go. Dropped without [`commit`](Self::commit), it leaves no trace.
pub(crate) trait Sink: Write + Send {
    /// Makes the bytes the target's content.
    fn commit(self: Box<Self>) -> io::Result<()>;
}

/// New content of a target, as a stream.
///
/// It becomes the target's content by [`commit`](Self::commit). Dropped without it, as by an error
/// or a panic, the target is as it was.
pub struct Writer {
    encoder: Encoder<Box<dyn Sink>>,
    target: String,
    failed: bool,
}

impl Writer {
    pub(crate) fn new(
        target: String,
        format: Format,
        sink: impl Sink + 'static,
    ) -> Result<Self, TargetError> {
        Self::boxed(target, format, Box::new(sink))
    }

    pub(crate) fn boxed(
        target: String,
        format: Format,
        sink: Box<dyn Sink>,
    ) -> Result<Self, TargetError> {
        match format.encoder(sink) {
            Ok(encoder) => Ok(Self {
                encoder,
                target,
                failed: false,
            }),
            Err(source) => Err(TargetError::io("write", target)(source)),
        }
    }

    /// Makes what was written the target's content, at once and as a whole.
    ///
    /// # Errors
    /// It cannot be stored, or a write before failed: the target is as it was.
    pub fn commit(self) -> Result<(), TargetError> {
        let Self {
            encoder,
            target,
            failed,
        } = self;
        let result = if failed {
            Err(io::Error::other("an earlier write of its content failed"))
        } else {
            encoder.finish().and_then(Sink::commit)
        };
        result.map_err(TargetError::io("write", target))
    }

    /// The same as [`commit`](Self::commit), by Luigi's name.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn close(self) -> Result<(), TargetError> {
        self.commit()
    }

    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|source| {
            if source.kind() != io::ErrorKind::Interrupted {
                self.failed = true;
            }
            named("write", &self.target, source)
        })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.encoder.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.encoder.flush();
        self.noted(flushed)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Writer").field(&self.target).finish()
    }
}

/// A stream's error with the target's name. The kind stays: callers act on it.
fn named(action: &'static str, target: &str, source: io::Error) -> io::Error {
    if source.kind() == io::ErrorKind::Interrupted {
        return source;
    }
    TargetError::io(action, target)(source).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has no room.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink for Full {
        fn commit(self: Box<Self>) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_write_cannot_be_committed() {
        let mut writer = Writer::new("x".to_owned(), Format::Plain, Full).expect("opens");
        let error = writer.write_all(b"a").expect_err("no room");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(error.to_string(), "cannot write x");
        assert!(writer.commit().is_err());
    }
}
