//! One connection: an `ssh` of ours, with an SFTP server at its other end.
//!
//! It lives as long as somebody holds it, and no longer than this process: when that dies, however it
//! dies, the pipes close and `ssh` ends.

use std::{
    io,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use openssh_sftp_client::{Error, Sftp, SftpOptions, error::SftpErrorKind};
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::remote::{
    retry::{passes, retried},
    runtime,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that is made when it is needed, and made again when it broke.
pub(super) struct Client {
    arguments: Vec<String>,
    /// The server, as people may see it.
    place: String,
    connection: Mutex<Option<Arc<Connection>>>,
}

/// A connection that was made.
pub(super) struct Connection {
    pub(super) sftp: Sftp,
    _ssh: Child,
}

impl Client {
    pub(super) fn new(arguments: Vec<String>, place: String) -> Self {
        Self {
            arguments,
            place,
            connection: Mutex::new(None),
        }
    }

    /// Asks the server, again if the connection breaks.
    pub(super) fn ask<T, F>(&self, question: impl Fn(Arc<Connection>) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        retried(&self.place, || self.ask_once(&question))
    }

    fn ask_once<T, F>(&self, question: impl Fn(Arc<Connection>) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let connection = self.connection()?;
        let answer = wait(question(Arc::clone(&connection)));
        if answer.as_ref().is_err_and(passes) {
            self.forget(&connection);
        }
        answer
    }

    fn connection(&self) -> io::Result<Arc<Connection>> {
        let mut kept = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*kept {
            return Ok(Arc::clone(connection));
        }
        let made = Arc::new(runtime::wait(connect(self.arguments.clone()))?);
        Ok(Arc::clone(kept.insert(made)))
    }

    /// The next question makes a new connection.
    fn forget(&self, broken: &Arc<Connection>) {
        let mut kept = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, broken)) {
            *kept = None;
        }
    }
}

/// Waits for an answer of the server.
pub(super) fn wait<T: Send + 'static>(
    answer: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> io::Result<T> {
    runtime::wait(async move {
        match timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(explained),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the server does not answer",
            )),
        }
    })
}

async fn connect(arguments: Vec<String>) -> io::Result<Connection> {
    let mut ssh = Command::new("ssh")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("ssh cannot be started: {error}")))?;
    let pipes = (ssh.stdin.take(), ssh.stdout.take(), ssh.stderr.take());
    let (Some(input), Some(output), Some(complaints)) = pipes else {
        return Err(io::Error::other("ssh has no pipes"));
    };
    let complaints = tokio::spawn(collect(complaints));
    match timeout(PATIENCE, Sftp::new(input, output, SftpOptions::new())).await {
        Ok(Ok(sftp)) => Ok(Connection { sftp, _ssh: ssh }),
        _ => {
            // It says why and ends; if it does not, it is ended.
            let said = timeout(Duration::from_secs(5), complaints).await;
            Err(refused(said.ok().and_then(Result::ok).unwrap_or_default()))
        }
    }
}

/// What `ssh` complains of, up to some length. It is read to the end, so that `ssh` never waits for us.
async fn collect(mut complaints: ChildStderr) -> String {
    const LONGEST: usize = 2000;
    let mut said = Vec::new();
    let mut buffer = [0; 512];
    while let Ok(read @ 1..) = complaints.read(&mut buffer).await {
        if said.len() < LONGEST {
            said.extend_from_slice(&buffer[..read]);
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Why there is no connection, in the words of `ssh`.
fn refused(said: String) -> io::Error {
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let said = match lines.len() {
        0 => "ssh made no connection, and said nothing".to_owned(),
        count => format!("ssh says: {}", lines[count.saturating_sub(2)..].join("; ")),
    };
    let has = |text: &str| said.contains(text);
    if has("Permission denied") || has("Too many authentication failures") {
        let advice =
            "it takes a key from its agent, its configuration, or key_file in the section [sftp]";
        return io::Error::new(io::ErrorKind::PermissionDenied, format!("{said}; {advice}"));
    }
    if has("Host key verification failed") {
        let advice = "add the host to ssh's known hosts first";
        return io::Error::new(io::ErrorKind::PermissionDenied, format!("{said}; {advice}"));
    }
    if has("Could not resolve") || has("Bad configuration") || has("Identity file") {
        return io::Error::other(said);
    }
    io::Error::new(io::ErrorKind::ConnectionRefused, said)
}

/// What the client says in the words of I/O.
fn explained(error: Error) -> io::Error {
    let kind = match &error {
        Error::SftpError(SftpErrorKind::NoSuchFile, _) => io::ErrorKind::NotFound,
        Error::SftpError(SftpErrorKind::PermDenied, _) => io::ErrorKind::PermissionDenied,
        Error::SftpError(SftpErrorKind::OpUnsupported, _) => io::ErrorKind::Unsupported,
        Error::SftpError(SftpErrorKind::Failure | SftpErrorKind::BadMessage, _) => {
            io::ErrorKind::Other
        }
        // Nothing else comes through a connection that works.
        _ => io::ErrorKind::ConnectionReset,
    };
    let text = match &error {
        Error::SftpError(kind, said) => match said.get().0.trim() {
            "" => format!("the server says: {kind:?}"),
            said => format!("the server says: {said}"),
        },
        error => format!("the connection is broken: {error}"),
    };
    io::Error::new(kind, text)
}
