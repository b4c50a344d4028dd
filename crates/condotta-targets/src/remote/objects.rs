//! Object stores, by OpenDAL: names of objects, in which slashes look like folders.
//!
//! An object appears when its upload is completed, be it one request or many parts: that is the commit.
//! What a killed writer had uploaded is no object, and nobody sees it; the store's own rule for
//! unfinished uploads removes it.

use std::{
    io::{self, Read, Write},
    sync::Once,
    time::Duration,
};

use bytes::Buf;
use futures_util::{StreamExt, TryStreamExt, stream};
use opendal::{
    Buffer, BufferStream, EntryMode, HttpTransporter, Operator,
    layers::{RetryEvent, RetryLayer, TimeoutLayer},
    options::CopyOptions,
};
use opendal_http_transport_reqwest::ReqwestTransport;

use super::{
    runtime,
    store::{Content, Part, Stat, Store},
};
use crate::{location::Location, read_write::Sink};

const MIB: usize = 1 << 20;
/// The size of the first parts of an upload.
const PART: usize = 8 * MIB;
/// How many parts are under way at once.
const AT_ONCE: usize = 3;
/// How many objects are removed at once where each has its own request.
const REMOVED_AT_ONCE: usize = 16;
/// The bytes that are copied by one request where a copy has several.
const COPIED: usize = 512 * MIB;

/// A bucket, or what the store calls it.
pub(crate) struct ObjectStore {
    operator: Operator,
    advice: &'static str,
    /// Many objects are removed by one request.
    batches: bool,
}

impl ObjectStore {
    /// Makes one of OpenDAL's builders. `advice` says where the credentials come from.
    pub(crate) fn new<B: opendal::Builder>(
        builder: B,
        advice: &'static str,
        location: &Location,
    ) -> io::Result<Self> {
        install_transport()?;
        let _inside = runtime::handle()?;
        let operator = Operator::new(builder).map_err(|error| explained(&error, advice))?;
        let retry = RetryLayer::new()
            .with_max_times(super::retry::TIMES)
            .with_min_delay(super::retry::SHORTEST)
            .with_factor(2.0)
            .with_jitter()
            .with_notify(say_again(location.store()));
        let timeout = TimeoutLayer::new()
            .with_timeout(Duration::from_secs(60))
            .with_io_timeout(Duration::from_secs(60));
        let operator = operator.layer(timeout).layer(retry);
        Ok(Self {
            operator,
            advice,
            batches: true,
        })
    }

    /// The same, where each object is removed by a request of its own.
    #[cfg(feature = "gcs")]
    pub(crate) fn one_by_one(mut self) -> Self {
        self.batches = false;
        self
    }

    /// Waits for what the operator is asked for.
    fn ask<T, F>(&self, question: impl FnOnce(Operator) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
    {
        let advice = self.advice;
        let answer = question(self.operator.clone());
        runtime::wait(async move { answer.await.map_err(|error| explained(&error, advice)) })
    }

    /// The paths of all objects below a folder.
    fn below(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = as_folder(folder);
        let entries =
            self.ask(|operator| async move { operator.list_with(&prefix).recursive(true).await })?;
        let files = entries
            .into_iter()
            .filter(|entry| entry.metadata().mode() == EntryMode::FILE);
        Ok(files.map(|entry| entry.path().to_owned()).collect())
    }

    /// Whether there is anything below a folder.
    fn is_folder(&self, folder: &str) -> io::Result<bool> {
        let prefix = as_folder(folder);
        let first = self.ask(|operator| async move {
            let mut lister = operator
                .lister_with(&prefix)
                .recursive(true)
                .limit(1)
                .await?;
            lister.try_next().await
        })?;
        Ok(first.is_some())
    }

    fn is_file(&self, path: &str) -> io::Result<bool> {
        match self.stat(path) {
            Ok(stat) => Ok(matches!(stat, Stat::File(_))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Store for ObjectStore {
    fn stat(&self, path: &str) -> io::Result<Stat> {
        if !path.is_empty() {
            let name = kept(path)?;
            match self.ask(|operator| async move { operator.stat(&name).await }) {
                Ok(metadata) => return Ok(Stat::File(metadata.content_length())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if self.is_folder(path)? {
            return Ok(Stat::Folder);
        }
        Err(io::ErrorKind::NotFound.into())
    }

    fn read(&self, path: &str, part: Part) -> io::Result<Content> {
        // So that what is missing is missing when it is opened, and the end is known.
        let Stat::File(size) = self.stat(path)? else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        let name = kept(path)?;
        let reader = self.ask(|operator| async move {
            let end = part.end.map_or(size, |end| end.min(size));
            let start = part.start.min(end);
            operator.reader(&name).await?.into_stream(start..end).await
        })?;
        Ok(Box::new(ObjectReader {
            stream: Some(reader),
            bytes: Buffer::new(),
            advice: self.advice,
        }))
    }

    fn write(&self, path: &str) -> io::Result<Box<dyn Sink>> {
        let name = kept(path)?;
        let writer = self
            .ask(|operator| async move { operator.writer_with(&name).concurrent(AT_ONCE).await })?;
        Ok(Box::new(ObjectWriter {
            writer: Some(writer),
            part: Vec::new(),
            parts: 0,
            advice: self.advice,
        }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let files = self.below(folder)?;
        if files.is_empty() && !folder.is_empty() {
            // A file is no folder, and what is missing is not empty.
            let kind = match self.stat(folder)? {
                Stat::File(_) => io::ErrorKind::NotADirectory,
                Stat::Folder => return Ok(files),
            };
            return Err(kind.into());
        }
        Ok(files)
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        if !path.is_empty() && self.is_file(path)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(())
    }

    fn copy(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (kept(from)?, kept(to)?);
        self.ask(|operator| async move {
            let options = CopyOptions {
                chunk: Some(COPIED),
                ..CopyOptions::default()
            };
            operator.copy_options(&from, &to, options).await
        })
        .map(drop)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.is_file(from)? {
            self.copy(from, to)?;
            return self.remove(from);
        }
        for file in self.list(from)? {
            let rest = &file[as_folder(from).len()..];
            self.copy(&file, &format!("{to}/{rest}"))?;
        }
        self.remove(from)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        if !path.is_empty() && self.is_file(path)? {
            let name = kept(path)?;
            return self.ask(|operator| async move { operator.delete(&name).await });
        }
        let files = self.list(path)?;
        if self.batches {
            return self.ask(|operator| async move { operator.delete_iter(files).await });
        }
        self.ask(|operator| async move {
            let removed = stream::iter(files).map(|file| {
                let operator = operator.clone();
                async move { operator.delete(&file).await }
            });
            removed
                .buffer_unordered(REMOVED_AT_ONCE)
                .try_collect::<()>()
                .await
        })
    }
}

/// A path with the slash that makes it a folder's.
fn as_folder(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!("{path}/"),
    }
}

/// A name that is stored under itself. OpenDAL would store some others under a name nearby.
fn kept(path: &str) -> io::Result<String> {
    let empty = path.split('/').any(str::is_empty);
    if empty || path.trim() != path {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a name may not begin or end with a space, nor have a folder without a name in it",
        ));
    }
    Ok(path.to_owned())
}

/// Reads an object, part by part as they come.
struct ObjectReader {
    /// Gone when a call of it failed.
    stream: Option<BufferStream>,
    bytes: Buffer,
    advice: &'static str,
}

impl ObjectReader {
    fn next(&mut self) -> io::Result<Option<Buffer>> {
        let stream = self.stream.take();
        let mut stream = stream.ok_or_else(|| io::Error::other("an earlier part was not read"))?;
        let advice = self.advice;
        let (stream, next) = runtime::wait(async move {
            let next = stream.next().await.transpose();
            let next = next.map_err(|error| explained(&error, advice))?;
            Ok((stream, next))
        })?;
        self.stream = Some(stream);
        Ok(next)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.bytes.is_empty() {
            match self.next()? {
                Some(bytes) => self.bytes = bytes,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.bytes.len());
        self.bytes.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// Writes an object, part by part.
struct ObjectWriter {
    /// Gone when a call of it failed, or it was closed.
    writer: Option<opendal::Writer>,
    part: Vec<u8>,
    parts: usize,
    advice: &'static str,
}

impl ObjectWriter {
    /// The size of the next part. Stores take 10,000 parts at most: parts grow with their number, so
    /// that more than a terabyte fits, and a gigabyte needs no more memory than a few megabytes.
    fn part_size(&self) -> usize {
        PART * (1 + self.parts / 250)
    }

    fn send(&mut self) -> io::Result<()> {
        let size = self.part_size();
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(size));
        self.parts += 1;
        self.with_writer(move |mut writer| async move {
            let written = writer.write(part).await;
            (writer, written)
        })
    }

    /// Hands the writer to the runtime, and takes it back if the call went well.
    fn with_writer<F>(&mut self, call: impl FnOnce(opendal::Writer) -> F) -> io::Result<()>
    where
        F: Future<Output = (opendal::Writer, opendal::Result<()>)> + Send + 'static,
    {
        let writer = self.writer.take();
        let writer = writer.ok_or_else(|| io::Error::other("an earlier part was not stored"))?;
        let (advice, called) = (self.advice, call(writer));
        let writer = runtime::wait(async move {
            let (mut writer, result) = called.await;
            if let Err(error) = result {
                let _ = writer.abort().await;
                return Err(explained(&error, advice));
            }
            Ok(writer)
        })?;
        self.writer = Some(writer);
        Ok(())
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.part_size() - self.part.len();
        let length = bytes.len().min(room);
        self.part.extend_from_slice(&bytes[..length]);
        if length == room {
            self.send()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for ObjectWriter {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        if !self.part.is_empty() || self.parts == 0 {
            self.send()?;
        }
        self.with_writer(|mut writer| async move {
            let closed = writer.close().await.map(drop);
            (writer, closed)
        })?;
        self.writer = None;
        Ok(())
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else {
            return;
        };
        if self.parts > 0 {
            runtime::wait_briefly(async move {
                let _ = writer.abort().await;
            });
        }
    }
}

/// How S3, Azure and Google say that there is no such bucket.
const NO_BUCKET: [&str; 3] = [
    "NoSuchBucket",
    "ContainerNotFound",
    "specified bucket does not exist",
];
/// How OpenDAL says that credentials cannot be had.
const NO_CREDENTIALS: &str = "failed to load signing credential";
/// How OpenDAL has the answer that asks for other credentials. Of Google it does not expect it.
const UNAUTHORIZED: &str = "Parts { status: 401";

/// How OpenDAL says that a server cannot be asked.
const NOT_SENT: &str = "send http request";

/// The server that OpenDAL asked. What it says itself has the whole URL, in which a token may be.
fn asked(error: &opendal::Error) -> Option<String> {
    let text = error.to_string();
    let (_, url) = text.split_once("url: ")?;
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', ',', ' ']).next()?;
    let host = authority.rsplit('@').next()?;
    Some(format!("{scheme}://{host}"))
}

/// What OpenDAL says in the words of I/O, with what to do where that is known.
fn explained(error: &opendal::Error, advice: &str) -> io::Error {
    use opendal::ErrorKind;
    let is_refusal =
        error.kind() == ErrorKind::PermissionDenied || error.to_string().contains(UNAUTHORIZED);
    let kind = match error.kind() {
        _ if is_refusal => io::ErrorKind::PermissionDenied,
        ErrorKind::NotFound => io::ErrorKind::NotFound,
        ErrorKind::IsADirectory => io::ErrorKind::IsADirectory,
        ErrorKind::NotADirectory => io::ErrorKind::NotADirectory,
        ErrorKind::AlreadyExists => io::ErrorKind::AlreadyExists,
        ErrorKind::ConfigInvalid => io::ErrorKind::InvalidInput,
        ErrorKind::Unsupported => io::ErrorKind::Unsupported,
        _ => io::ErrorKind::Other,
    };
    let said = match error.message().trim() {
        "" => "an unexpected answer, without a word".to_owned(),
        NOT_SENT => {
            asked(error).map_or(NOT_SENT.to_owned(), |place| format!("cannot reach {place}"))
        }
        message => message.to_owned(),
    };
    let said = super::chain::of(&said, error);
    if NO_BUCKET.iter().any(|text| said.contains(text)) {
        // Not as what is missing: a wrong name would look like an output that is not there yet.
        return io::Error::other(format!(
            "there is no such bucket or container ({said}); make it first"
        ));
    }
    if said.contains(NO_CREDENTIALS) {
        let text = format!("there are no credentials that can be read ({said}); {advice}");
        return io::Error::new(io::ErrorKind::PermissionDenied, text);
    }
    io::Error::new(
        kind,
        match error.kind() {
            _ if is_refusal => {
                format!("the store refuses these credentials ({said}); {advice}")
            }
            ErrorKind::ConfigInvalid => format!("{said}; {advice}"),
            ErrorKind::Unexpected if !error.is_temporary() => {
                format!("{said}, also when tried again")
            }
            _ => said,
        },
    )
}

/// Says that something is tried again. What OpenDAL would say itself has the URL in it, and with that a token.
fn say_again(place: String) -> impl Fn(RetryEvent<'_>) + Send + Sync + 'static {
    move |event| super::retry::say_again(&place, &explained(event.err, ""), event.retry_after)
}

/// Gives OpenDAL its HTTP client, once.
fn install_transport() -> io::Result<()> {
    static INSTALLED: Once = Once::new();
    if INSTALLED.is_completed() {
        return Ok(());
    }
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured((*super::tls::config()?).clone())
        .connect_timeout(Duration::from_secs(20))
        .build()
        .map_err(io::Error::other)?;
    INSTALLED.call_once(|| HttpTransporter::install_default(ReqwestTransport::new(client)));
    Ok(())
}
