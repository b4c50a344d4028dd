//! The server as a process of its own, away from the terminal.
//!
//! The command starts itself anew with its standard input being a socket. Over that the new process
//! says that it is ready, or why it is not, and the command ends with that.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    net::Shutdown,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    Call,
    arguments::SchedulerArguments,
    error::{Failure, Kind},
    log,
    pid_file::PidFile,
    scheduler::refused_pid_file,
};

/// Starts the server in the background, and waits until it is ready or has failed.
pub(crate) fn start(arguments: &SchedulerArguments, call: &Call) -> Result<(), Failure> {
    if let Some(path) = &arguments.pidfile {
        PidFile::check(path).map_err(refused_pid_file)?;
    }
    let directory = log::directory(arguments).expect("in the background there is one");
    log::make(&directory)?;
    let (mut ours, theirs) = UnixStream::pair().map_err(cannot_start)?;
    let mut command = Command::new(&call.start[0]);
    command
        .args(&call.start[1..])
        .args(&call.arguments)
        .arg("--detached")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(open(&directory, "out")?)
        .stderr(open(&directory, "err")?);
    let mut child = command.spawn().map_err(cannot_start)?;
    // The command keeps the child's end of the socket, and with it would wait for ever.
    drop(command);

    let mut said = String::new();
    ours.read_to_string(&mut said).map_err(cannot_start)?;
    match said.split_once('\n') {
        Some(("0", text)) => {
            println!("{text}");
            Ok(())
        }
        Some((code, text)) => {
            let code = code.parse().unwrap_or(Kind::Other as u8);
            Err(Failure::with_code(code, text.to_owned()))
        }
        None => {
            let status = child.wait().map_err(cannot_start)?;
            let text = format!(
                "the server ended ({status}) before it was ready; {} may say why",
                directory.display()
            );
            Err(Failure::new(Kind::Other, text))
        }
    }
}

fn cannot_start(error: io::Error) -> Failure {
    let text = format!("cannot start the server in the background: {error}");
    Failure::new(Kind::Other, text)
}

/// The file for what is written to one of the process's own streams; its name is luigid's.
fn open(directory: &Path, end: &str) -> Result<File, Failure> {
    let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::system());
    let today = now.date();
    let path = directory.join(format!("luigi-server-{today}.{end}"));
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    opened.map_err(|error| log::unwritable(&path, &error))
}

/// Whoever waits for this process to be ready; nobody in the foreground.
#[derive(Debug)]
pub(crate) struct Waiting(Option<UnixStream>);

impl Waiting {
    /// Lets go of the terminal, in the background.
    pub(crate) fn new(arguments: &SchedulerArguments) -> Result<Self, Failure> {
        if !arguments.detached {
            return Ok(Self(None));
        }
        // It fails only for a process that has done so already.
        let _ = nix::unistd::setsid();
        let socket = io::stdin().as_fd().try_clone_to_owned();
        Ok(Self(Some(socket.map_err(cannot_start)?.into())))
    }

    /// Says that the server is ready.
    pub(crate) fn ready(self, text: &str) {
        self.say(0, text);
    }

    /// Says that there will be no server.
    pub(crate) fn failed(self, failure: &Failure) {
        self.say(failure.code(), &failure.to_string());
    }

    fn say(self, code: u8, text: &str) {
        if let Some(mut socket) = self.0 {
            // Who waited may have been stopped.
            let _ = write!(socket, "{code}\n{text}");
            // Standard input is the same socket, and stays open.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
