//! Files and folders of an FTP server.

use std::{
    io::{self, Read, Write},
    sync::Arc,
    time::{Duration, SystemTime},
};

use suppaftp::{FtpError, RustlsConnector, Status, TlsConnector, TransferStream, list::ListParser};

use super::client::{Client, Connection, Login, PATIENCE, explained};
use crate::remote::{
    by_rename::{Files, Upload},
    store::{Content, Stat},
};

type Transfer = TransferStream<<RustlsConnector as TlsConnector>::Stream>;

pub(super) struct FtpFiles {
    client: Arc<Client>,
}

impl FtpFiles {
    pub(super) fn new(login: Login, place: String) -> Self {
        let client = Arc::new(Client::new(login, place));
        Self { client }
    }
}

impl Files for FtpFiles {
    fn stat(&self, path: &str) -> io::Result<Stat> {
        let stat = self.client.ask(|connection| {
            let path = connection.path(path);
            match connection.ftp.size(&path) {
                Ok(size) => return Ok(Some(Stat::File(size as u64))),
                Err(error) if is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
            // Only into a folder one can go.
            match connection.ftp.cwd(&path) {
                Ok(()) => Ok(Some(Stat::Folder)),
                Err(error) if is_refusal(&error) => Ok(None),
                Err(error) => Err(error),
            }
        })?;
        stat.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn open(&self, path: &str, at: u64) -> io::Result<Content> {
        let offset = usize::try_from(at).map_err(io::Error::other)?;
        let (connection, transfer) = self.client.take(|connection| {
            let path = connection.path(path);
            if offset > 0 {
                connection.ftp.resume_transfer(offset)?;
            }
            connection.ftp.retr_as_stream(path)
        })?;
        Ok(Box::new(Open::new(&self.client, connection, transfer)?))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Upload>> {
        let (connection, transfer) = self.client.take(|connection| {
            let path = connection.path(path);
            connection.ftp.put_with_stream(path)
        })?;
        Ok(Box::new(Open::new(&self.client, connection, transfer)?))
    }

    fn entries(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let (lines, facts) = self.client.ask(|connection| {
            // Listed from within, since servers take a name with a space or a dash for something else.
            connection.ftp.cwd(connection.path(folder))?;
            let lines = match connection.lists_facts {
                true => connection.ftp.mlsd(None)?,
                false => connection.ftp.list(Some("-a"))?,
            };
            Ok((lines, connection.lists_facts))
        })?;
        let mut entries = Vec::new();
        for line in lines {
            if line.trim().is_empty() || (!facts && line.starts_with("total ")) {
                continue;
            }
            let file = match facts {
                true => ListParser::parse_mlsd(&line),
                false => ListParser::parse_posix(&line).or_else(|_| ListParser::parse_dos(&line)),
            };
            let file = file.map_err(|error| {
                io::Error::other(format!(
                    "the server's list has a line that is no file's ({error}): {line}"
                ))
            })?;
            if file.name() != "." && file.name() != ".." {
                entries.push((file.name().to_owned(), file.is_directory()));
            }
        }
        Ok(entries)
    }

    fn modified(&self, path: &str) -> io::Result<SystemTime> {
        let time = self
            .client
            .ask(|connection| connection.ftp.mdtm(connection.path(path)))?;
        let seconds = u64::try_from(time.and_utc().timestamp()).unwrap_or_default();
        Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.client
            .ask(|connection| connection.ftp.mkdir(connection.path(path)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.client.ask(|connection| {
            let (from, to) = (connection.path(from), connection.path(to));
            connection.ftp.rename(from, to)
        })
    }

    fn remove_file(&self, path: &str) -> io::Result<()> {
        self.client
            .ask(|connection| connection.ftp.rm(connection.path(path)))
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.client.ask(|connection| {
            // Some servers remove no folder that somebody is in.
            connection.ftp.cwd(connection.path(""))?;
            connection.ftp.rmdir(connection.path(path))
        })
    }
}

/// Whether the server says that there is no such thing, or that it cannot be had.
fn is_refusal(error: &FtpError) -> bool {
    matches!(error, FtpError::UnexpectedResponse(response)
        if matches!(response.status, Status::FileUnavailable | Status::BadFilename))
}

/// A transfer with its connection.
struct Open {
    client: Arc<Client>,
    /// Both are there until the end.
    open: Option<(Connection, Transfer)>,
}

impl Open {
    fn new(client: &Arc<Client>, connection: Connection, transfer: Transfer) -> io::Result<Self> {
        let socket = transfer.get_ref().get_ref();
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            client: Arc::clone(client),
            open: Some((connection, transfer)),
        })
    }

    fn transfer(&mut self) -> io::Result<&mut Transfer> {
        match &mut self.open {
            Some((_, transfer)) => Ok(transfer),
            None => Err(io::Error::other("it was finished before")),
        }
    }

    /// Ends the transfer; the connection is free for the next call if it ended well.
    fn end(&mut self) -> io::Result<()> {
        if let Some((connection, transfer)) = self.open.take() {
            transfer.finish().map_err(explained)?;
            self.client.give_back(connection);
        }
        Ok(())
    }
}

impl Read for Open {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.transfer()?.read(buffer).map_err(in_time)
    }
}

impl Write for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.transfer()?.write(bytes).map_err(in_time)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.transfer()?.flush().map_err(in_time)
    }
}

impl Upload for Open {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.end()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Content that was not read to its end ends with an error, and so does its connection.
        let _ = self.end();
    }
}

/// What a socket with a time limit says when the time is over, in words that mean it.
fn in_time(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, error),
        _ => error,
    }
}
