//! Files and folders of an SFTP server.

use std::{
    io::{self, Read, SeekFrom, Write},
    sync::Arc,
    time::SystemTime,
};

use bytes::BytesMut;
use futures_util::StreamExt;
use openssh_sftp_client::{Error, file::File, fs::Fs, metadata::MetaData};
use tokio::io::AsyncSeekExt;

use super::client::{Client, Connection, wait};
use crate::remote::{
    by_rename::{Files, Upload},
    runtime,
    store::{Content, Stat},
};

/// The bytes of one request. Servers take 255 KiB at most, and no fewer than 32.
const REQUEST: usize = 255 * 1024;

pub(super) struct SftpFiles {
    client: Client,
}

impl SftpFiles {
    pub(super) fn new(arguments: Vec<String>, place: String) -> Self {
        let client = Client::new(arguments, place);
        Self { client }
    }

    /// Asks for something about a path.
    fn on<T, F>(&self, path: &str, act: impl Fn(Fs, String) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let path = on_server(path);
        self.client
            .ask(|connection| act(connection.sftp.fs(), path.clone()))
    }
}

/// A URL's path as the server knows it: from its root, or after `~/` from where one is after the login.
fn on_server(path: &str) -> String {
    match path.strip_prefix('~') {
        Some("") => ".".to_owned(),
        Some(rest) if rest.starts_with('/') => rest[1..].to_owned(),
        _ => format!("/{path}"),
    }
}

fn is_folder(metadata: &MetaData) -> bool {
    metadata.file_type().is_some_and(|kind| kind.is_dir())
}

impl Files for SftpFiles {
    fn stat(&self, path: &str) -> io::Result<Stat> {
        let metadata = self.on(path, |mut fs, path| async move { fs.metadata(path).await })?;
        if is_folder(&metadata) {
            return Ok(Stat::Folder);
        }
        Ok(Stat::File(metadata.len().unwrap_or_default()))
    }

    fn open(&self, path: &str, at: u64) -> io::Result<Content> {
        let path = on_server(path);
        let file = self.client.ask(|connection| {
            let path = path.clone();
            async move {
                let mut file = connection.sftp.open(path).await?;
                file.seek(SeekFrom::Start(at)).await?;
                Ok(OpenFile::new(file, connection))
            }
        })?;
        let bytes = BytesMut::new();
        Ok(Box::new(Reading { file, bytes }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Upload>> {
        let path = on_server(path);
        let file = self.client.ask(|connection| {
            let path = path.clone();
            async move {
                let file = connection.sftp.create(path).await?;
                Ok(OpenFile::new(file, connection))
            }
        })?;
        let bytes = Vec::with_capacity(REQUEST);
        Ok(Box::new(Uploading { file, bytes }))
    }

    fn entries(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let entries = self.on(folder, |mut fs, path| async move {
            let mut entries = Vec::new();
            let mut folder = Box::pin(fs.open_dir(path).await?.read_dir());
            while let Some(entry) = folder.next().await {
                let entry = entry?;
                let name = entry.filename().to_string_lossy().into_owned();
                let is_link = entry.file_type().is_some_and(|kind| kind.is_symlink());
                entries.push((name, is_folder(&entry.metadata()), is_link));
            }
            Ok(entries)
        })?;
        // Links are files here, wherever they lead: a list that follows them may never end.
        let own = |(name, ..): &(String, bool, bool)| name != "." && name != "..";
        let entries = entries.into_iter().filter(own);
        Ok(entries
            .map(|(name, folder, link)| (name, folder && !link))
            .collect())
    }

    fn modified(&self, path: &str) -> io::Result<SystemTime> {
        let metadata = self.on(path, |mut fs, path| async move { fs.metadata(path).await })?;
        let modified = metadata.modified().map(|time| time.as_system_time());
        modified.ok_or_else(|| io::Error::other("the server does not say when it was modified"))
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.on(
            path,
            |mut fs, path| async move { fs.create_dir(path).await },
        )
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let to = on_server(to);
        self.on(from, |mut fs, from| {
            let to = to.clone();
            async move { fs.rename(from, to).await }
        })
    }

    fn remove_file(&self, path: &str) -> io::Result<()> {
        self.on(
            path,
            |mut fs, path| async move { fs.remove_file(path).await },
        )
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.on(
            path,
            |mut fs, path| async move { fs.remove_dir(path).await },
        )
    }
}

/// An open file with its connection, which is not to end before it.
struct OpenFile {
    /// Gone when a call of it failed, or it was closed.
    file: Option<File>,
    connection: Arc<Connection>,
}

impl OpenFile {
    fn new(file: File, connection: Arc<Connection>) -> Self {
        let file = Some(file);
        Self { file, connection }
    }

    /// Hands the file to the runtime, and takes it back if the call went well.
    fn call<T, F>(&mut self, call: impl FnOnce(File) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<(File, T), Error>> + Send + 'static,
    {
        let file = self.file.take();
        let file = file.ok_or_else(|| io::Error::other("an earlier call of it failed"))?;
        let (file, value) = wait(call(file))?;
        self.file = Some(file);
        Ok(value)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        let connection = Arc::clone(&self.connection);
        runtime::wait_briefly(async move {
            let _ = file.close().await;
            drop(connection);
        });
    }
}

struct Reading {
    file: OpenFile,
    bytes: BytesMut,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let read = self.file.call(|mut file| async move {
                let read = file.read(REQUEST as u32, bytes).await?;
                Ok((file, read))
            })?;
            let Some(read) = read else { return Ok(0) };
            self.bytes = read;
        }
        let length = buffer.len().min(self.bytes.len());
        buffer[..length].copy_from_slice(&self.bytes.split_to(length));
        Ok(length)
    }
}

struct Uploading {
    file: OpenFile,
    bytes: Vec<u8>,
}

impl Uploading {
    fn send(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut bytes = self.file.call(|mut file| async move {
            file.write_all(&bytes).await?;
            Ok((file, bytes))
        })?;
        bytes.clear();
        self.bytes = bytes;
        Ok(())
    }
}

impl Write for Uploading {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(REQUEST - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..length]);
        if self.bytes.len() == REQUEST {
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
        let syncs = self.file.connection.sftp.support_fsync();
        self.file.call(|mut file| async move {
            if syncs {
                file.sync_all().await?;
            }
            Ok((file, ()))
        })?;
        let Some(file) = self.file.file.take() else {
            return Ok(());
        };
        wait(async move { file.close().await })
    }
}
