//! Files and folders of HDFS.

use std::{
    io::{self, PipeWriter, Write},
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use serde_json::Value;

use super::client::{Client, Verb, read, write};
use crate::remote::{
    by_rename::{Files, Upload},
    retry::retried,
    store::{Content, Stat},
};

pub(super) struct WebHdfsFiles {
    pub(super) client: Client,
}

impl WebHdfsFiles {
    /// Asks for what answers whether it was done.
    fn done(&self, method: Verb, path: &str, query: &[(&str, &str)]) -> io::Result<()> {
        let answer = self.client.ask(method, path, query)?;
        match answer["boolean"] {
            Value::Bool(false) => Err(io::Error::other(
                "the server did not do it, and does not say why",
            )),
            _ => Ok(()),
        }
    }
}

impl Files for WebHdfsFiles {
    // HDFS says of a file that is open when it was started.
    const LONGEST_WRITE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    fn stat(&self, path: &str) -> io::Result<Stat> {
        let answer = self
            .client
            .ask(Verb::Get, path, &[("op", "GETFILESTATUS")])?;
        let status = &answer["FileStatus"];
        match status["type"].as_str() {
            Some("DIRECTORY") => Ok(Stat::Folder),
            Some(_) => Ok(Stat::File(status["length"].as_u64().unwrap_or_default())),
            None => Err(io::Error::other("the answer has no status of a file")),
        }
    }

    fn open(&self, path: &str, at: u64) -> io::Result<Content> {
        let offset = at.to_string();
        let query = [("op", "OPEN"), ("offset", offset.as_str())];
        let place = self.client.data_node(Verb::Get, path, &query)?;
        let body = read(&place)?.into_body();
        Ok(Box::new(body.into_with_config().limit(u64::MAX).reader()))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Upload>> {
        let query = [("op", "CREATE"), ("overwrite", "true")];
        let place = retried(self.client.shown(path), || {
            self.client.data_node(Verb::Put, path, &query)
        })?;
        // The client takes content from a reader: it reads on a thread what is written here.
        let (reader, writer) = io::pipe()?;
        let sender = thread::Builder::new()
            .name("condotta-webhdfs".to_owned())
            .spawn(move || write(&place, reader))?;
        Ok(Box::new(Uploading {
            content: Some(writer),
            sender: Some(sender),
        }))
    }

    fn entries(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let answer = self
            .client
            .ask(Verb::Get, folder, &[("op", "LISTSTATUS")])?;
        let entries = answer["FileStatuses"]["FileStatus"].as_array();
        let entries = entries.ok_or_else(|| io::Error::other("the answer has no list of files"))?;
        let entry = |status: &Value| {
            let name = status["pathSuffix"].as_str().unwrap_or_default();
            (name.to_owned(), status["type"] == "DIRECTORY")
        };
        Ok(entries
            .iter()
            .map(entry)
            .filter(|(name, _)| !name.is_empty())
            .collect())
    }

    fn modified(&self, path: &str) -> io::Result<SystemTime> {
        let answer = self
            .client
            .ask(Verb::Get, path, &[("op", "GETFILESTATUS")])?;
        let modified = answer["FileStatus"]["modificationTime"].as_u64();
        let modified = modified.ok_or_else(|| io::Error::other("the answer has no time"))?;
        Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(modified))
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.done(Verb::Put, path, &[("op", "MKDIRS")])
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let destination = format!("/{to}");
        // With this option HDFS replaces a file in one step; without, it renames to free names only.
        let query = [
            ("op", "RENAME"),
            ("destination", destination.as_str()),
            ("renameoptions", "OVERWRITE"),
        ];
        self.done(Verb::Put, from, &query)
    }

    fn remove_file(&self, path: &str) -> io::Result<()> {
        self.done(Verb::Delete, path, &[("op", "DELETE")])
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.done(Verb::Delete, path, &[("op", "DELETE")])
    }
}

struct Uploading {
    /// Closed when all is written.
    content: Option<PipeWriter>,
    sender: Option<JoinHandle<io::Result<()>>>,
}

impl Uploading {
    /// Ends the content, and waits for what the server says.
    fn end(&mut self) -> io::Result<()> {
        self.content = None;
        match self.sender.take().map(JoinHandle::join) {
            Some(Ok(sent)) => sent,
            Some(Err(_)) => Err(io::Error::other("the upload panicked")),
            None => Ok(()),
        }
    }
}

impl Write for Uploading {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(content) = &mut self.content else {
            return Err(io::Error::other("the upload failed before"));
        };
        match content.write(bytes) {
            // Nobody reads any more: the server's reason says more than a broken pipe.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.end()?;
                Err(error)
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for Uploading {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.end()
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
