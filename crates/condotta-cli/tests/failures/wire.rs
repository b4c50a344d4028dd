//! Requests byte by byte, as no library would send them.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::processes::Server;

/// Much longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a server.
pub(crate) struct Wire {
    stream: TcpStream,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Wire {
    pub(crate) fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream }
    }

    /// Sends as much as the server takes: it may answer and close before it has read everything.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends nothing more; answers still come.
    pub(crate) fn finish(&mut self) {
        // The server may have closed by now.
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// Calls a method as stock workers do.
    pub(crate) fn call(&mut self, method: &str, data: &str) -> Option<Answer> {
        self.send(&post(method, "", data)).ok()?;
        self.answer()
    }

    /// Whether the other side has closed the connection. Does not wait.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let read = self.stream.read(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        match read {
            Ok(size) => size == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// The next answer; `None` when the connection ends without one.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    panic!("neither an answer nor an end")
                }
                _ => return None,
            }
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        Some(Answer { status, body })
    }
}

/// A request of a method with further header lines, each with its line end.
pub(crate) fn post(method: &str, headers: &str, data: &str) -> Vec<u8> {
    let body = format!("data={}", percent(data));
    format!(
        "POST /api/{method} HTTP/1.1\r\nHost: localhost\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}

/// Encodes all but letters and digits.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
