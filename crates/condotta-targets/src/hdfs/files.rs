//! Files and folders of HDFS.

use std::{
    io::{self, Read, Write},
    pin::Pin,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hdfs_native::{Client, HdfsError, WriteOptions, file::FileWriter};
use tokio::time::timeout;

use crate::remote::{
    by_rename::{Files, Upload},
    runtime,
    store::{Content, Stat},
};

/// The bytes that are sent at once.
const PIECE: usize = 1 << 20;
/// How long an answer, or a piece of content, may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct HdfsFiles {
    client: Client,
}

impl HdfsFiles {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Asks for something about a path. The client asks again by itself if the connection breaks.
    fn on<T, F>(&self, path: &str, act: impl FnOnce(Client, String) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, HdfsError>> + Send + 'static,
    {
        wait(act(self.client.clone(), on_server(path)))
    }
}

fn on_server(path: &str) -> String {
    format!("/{path}")
}

/// Waits for an answer of the cluster.
fn wait<T: Send + 'static>(
    answer: impl Future<Output = Result<T, HdfsError>> + Send + 'static,
) -> io::Result<T> {
    runtime::wait(async move {
        match timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(explained),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the cluster does not answer",
            )),
        }
    })
}

impl Files for HdfsFiles {
    // HDFS says of a file that is open when it was started.
    const LONGEST_WRITE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    fn stat(&self, path: &str) -> io::Result<Stat> {
        let status = self.on(path, |client, path| async move {
            client.get_file_info(&path).await
        })?;
        Ok(match status.isdir {
            true => Stat::Folder,
            false => Stat::File(status.length as u64),
        })
    }

    fn open(&self, path: &str, at: u64) -> io::Result<Content> {
        let start = usize::try_from(at).map_err(io::Error::other)?;
        let reader = self.on(path, |client, path| async move { client.read(&path).await })?;
        let Some(length) = reader.file_length().checked_sub(start) else {
            return Ok(Box::new(io::empty()));
        };
        let pieces: Pieces = Box::pin(reader.read_range_stream(start, length));
        Ok(Box::new(Reading {
            pieces: Some(pieces),
            bytes: Bytes::new(),
        }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Upload>> {
        let writer = self.on(path, |client, path| async move {
            let options = WriteOptions::default().overwrite(true);
            client.create(&path, options.create_parent(true)).await
        })?;
        Ok(Box::new(Uploading {
            writer: Some(writer),
            bytes: Vec::new(),
        }))
    }

    fn entries(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let entries = self.on(folder, |client, path| async move {
            client.list_status(&path, false).await
        })?;
        let entry = |path: &str| path.rsplit_once('/').map(|(_, name)| name.to_owned());
        Ok(entries
            .into_iter()
            .filter_map(|status| Some((entry(&status.path)?, status.isdir)))
            .collect())
    }

    fn modified(&self, path: &str) -> io::Result<SystemTime> {
        let status = self.on(path, |client, path| async move {
            client.get_file_info(&path).await
        })?;
        Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(status.modification_time))
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.on(path, |client, path| async move {
            client.mkdirs(&path, 0o755, true).await
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let to = on_server(to);
        self.on(from, |client, from| async move {
            client.rename(&from, &to, true).await
        })
    }

    fn remove_file(&self, path: &str) -> io::Result<()> {
        let removed = self.on(path, |client, path| async move {
            client.delete(&path, false).await
        })?;
        match removed {
            true => Ok(()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.remove_file(path)
    }
}

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, HdfsError>> + Send>>;

/// Reads content as it comes from the data nodes.
struct Reading {
    /// Gone when a call of it failed.
    pieces: Option<Pieces>,
    bytes: Bytes,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.bytes.is_empty() {
            let pieces = self.pieces.take();
            let mut pieces =
                pieces.ok_or_else(|| io::Error::other("an earlier piece was not read"))?;
            let (pieces, next) = wait(async move {
                let next = pieces.next().await.transpose()?;
                Ok((pieces, next))
            })?;
            self.pieces = Some(pieces);
            match next {
                Some(bytes) => self.bytes = bytes,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.bytes.len());
        buffer[..length].copy_from_slice(&self.bytes.split_to(length));
        Ok(length)
    }
}

struct Uploading {
    /// Gone when a call of it failed, or it was closed.
    writer: Option<FileWriter>,
    bytes: Vec<u8>,
}

impl Uploading {
    /// Hands the writer to the runtime, and takes it back if the call went well.
    fn call<F>(&mut self, call: impl FnOnce(FileWriter) -> F) -> io::Result<()>
    where
        F: Future<Output = Result<FileWriter, HdfsError>> + Send + 'static,
    {
        let writer = self.writer.take();
        let writer = writer.ok_or_else(|| io::Error::other("an earlier piece was not stored"))?;
        self.writer = Some(wait(call(writer))?);
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let bytes = Bytes::from(std::mem::take(&mut self.bytes));
        self.call(|mut writer| async move {
            writer.write_bytes(bytes).await?;
            Ok(writer)
        })
    }
}

impl Write for Uploading {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(PIECE - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..length]);
        if self.bytes.len() == PIECE {
            self.send()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for Uploading {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.send()?;
        self.call(|mut writer| async move {
            // On the disks of its data nodes before it has its name.
            writer.hsync().await?;
            writer.close().await?;
            Ok(writer)
        })
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        // Closed, so that its last block is known; the file goes away afterwards.
        if let Some(mut writer) = self.writer.take() {
            runtime::wait_briefly(async move {
                let _ = writer.close().await;
            });
        }
    }
}

/// What the client says in the words of I/O.
pub(super) fn explained(error: HdfsError) -> io::Error {
    let kind = match &error {
        HdfsError::IOError(source) => match source.kind() {
            io::ErrorKind::Other => io::ErrorKind::ConnectionReset,
            kind => kind,
        },
        HdfsError::FileNotFound(_) => io::ErrorKind::NotFound,
        HdfsError::AlreadyExists(_) => io::ErrorKind::AlreadyExists,
        HdfsError::IsADirectoryError(_) => io::ErrorKind::IsADirectory,
        HdfsError::InvalidPath(_)
        | HdfsError::InvalidArgument(_)
        | HdfsError::UrlParseError(_)
        | HdfsError::XmlParseError(_) => io::ErrorKind::InvalidInput,
        HdfsError::UnsupportedFeature(_) | HdfsError::UnsupportedErasureCodingPolicy(_) => {
            io::ErrorKind::Unsupported
        }
        HdfsError::SASLError(_) | HdfsError::NoSASLMechanism | HdfsError::GSSAPIError(..) => {
            io::ErrorKind::PermissionDenied
        }
        HdfsError::DataTransferError(_) | HdfsError::BlocksNotFound(_) => {
            io::ErrorKind::ConnectionReset
        }
        HdfsError::RPCError(class, _) | HdfsError::FatalRPCError(class, _) => kind_of_class(class),
        _ => io::ErrorKind::Other,
    };
    let text = match &error {
        // The rest is a trace of the server's calls.
        HdfsError::RPCError(class, said) | HdfsError::FatalRPCError(class, said) => {
            let class = class
                .rsplit_once('.')
                .map_or(class.as_str(), |(_, name)| name);
            format!(
                "the cluster says: {class}: {}",
                said.lines().next().unwrap_or_default()
            )
        }
        error => error.to_string(),
    };
    io::Error::new(kind, text)
}

/// What an exception of Hadoop's means.
fn kind_of_class(class: &str) -> io::ErrorKind {
    match class.rsplit_once('.').map_or(class, |(_, name)| name) {
        "FileNotFoundException" => io::ErrorKind::NotFound,
        "AccessControlException" | "AuthorizationException" => io::ErrorKind::PermissionDenied,
        "FileAlreadyExistsException" => io::ErrorKind::AlreadyExists,
        "ParentNotDirectoryException" => io::ErrorKind::NotADirectory,
        "StandbyException" | "RetriableException" | "SafeModeException" => {
            io::ErrorKind::ResourceBusy
        }
        _ => io::ErrorKind::Other,
    }
}
