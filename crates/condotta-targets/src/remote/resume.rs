//! Reading on where a connection broke.

use std::{
    io::{self, Read},
    ops::Range,
};

use super::{
    retry::{passes, retried},
    store::Content,
};

/// Content that is opened again, from where it broke off, when its connection breaks.
pub(crate) struct Resumed<O> {
    open: O,
    /// What is read, as people may see it.
    place: String,
    content: Content,
    left: Range<u64>,
}

impl<O: FnMut(u64) -> io::Result<Content> + Send> Resumed<O> {
    /// Opens a range of content, by a function that opens it at a byte.
    pub(crate) fn new(place: String, range: Range<u64>, mut open: O) -> io::Result<Self> {
        let content = retried(&place, || open(range.start))?;
        Ok(Self {
            open,
            place,
            content,
            left: range,
        })
    }
}

impl<O: FnMut(u64) -> io::Result<Content> + Send> Read for Resumed<O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        if length == 0 {
            return Ok(0);
        }
        let buffer = &mut buffer[..length];
        let read = match some(&mut self.content, buffer) {
            Err(error) if passes(&error) => {
                let (content, read) = retried(&self.place, || {
                    let mut content = (self.open)(self.left.start)?;
                    let read = some(&mut content, buffer)?;
                    Ok((content, read))
                })?;
                self.content = content;
                read
            }
            read => read?,
        };
        self.left.start += read as u64;
        Ok(read)
    }
}

/// Reads at least a byte: content that ends early is a connection that broke.
fn some(content: &mut Content, buffer: &mut [u8]) -> io::Result<usize> {
    match content.read(buffer)? {
        0 => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection ended before the content did",
        )),
        read => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks off after each three bytes, and now and then when it is opened.
    #[test]
    fn content_that_breaks_off_is_read_whole() {
        let bytes: Vec<u8> = (0..20).collect();
        let source = bytes.clone();
        let mut opened = 0;
        let open = move |at: u64| -> io::Result<Content> {
            opened += 1;
            if opened % 3 == 0 {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let rest = source[at as usize..].to_vec();
            Ok(Box::new(io::Cursor::new(rest).take(3)))
        };
        let mut read = Vec::new();
        let mut content = Resumed::new("here".to_owned(), 2..19, open).expect("opens");
        content.read_to_end(&mut read).expect("reads");
        assert_eq!(read, bytes[2..19]);
    }
}
