//! A program that runs: what it says is passed on, and it is ended when it is to end.

use std::{
    io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    Ended, Failure, Program, ProgramError, Stream,
    group::Group,
    pump::{self, Event},
    tail::Tail,
};
use condotta_targets::{Reader, TargetError, Writer};

/// So many pieces of output wait at most; then the program waits.
const PIECES: usize = 64;
/// How often a run is asked whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);
/// How often a group that is to end is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// So long what a program left behind may go on by itself: it may have something to write to its end.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// So long a run that is given up waits for the threads that read its output.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// Why a program is ended.
enum Why {
    Stop,
    TimeOut(Duration),
    NoInput(TargetError),
    NoOutput(TargetError),
}

/// What is done to those who have not ended.
#[derive(Clone, Copy)]
enum Next {
    Ask,
    Kill,
}

pub(crate) struct Running<'a> {
    program: Program<'a>,
    name: String,
    group: Option<Group>,
    events: Receiver<Event>,
    /// Tells the threads that the program has ended.
    over: Arc<AtomicBool>,
    /// How many outputs are still read.
    open: usize,
    deadline: Option<(Instant, Duration)>,
    status: Option<ExitStatus>,
    written: Option<Writer>,
    tails: [Tail; 2],
    why: Option<Why>,
    /// What becomes, and when, of those who have not ended by then.
    next: Option<(Instant, Next)>,
}

impl<'a> Running<'a> {
    /// Starts the program.
    pub(crate) fn start(
        mut program: Program<'a>,
        deadline: Option<(Instant, Duration)>,
    ) -> Result<Self, ProgramError> {
        let name = program.name();
        let input = program.input.take().transpose();
        let input = input.map_err(|source| ProgramError::Input {
            program: name.clone(),
            source,
        })?;
        let output = match program.output.take() {
            None => None,
            Some((target, Ok(writer))) => Some((target, writer)),
            Some((_, Err(source))) => {
                return Err(ProgramError::Output {
                    program: name,
                    source,
                });
            }
        };
        tracing::info!(target: "luigi-interface", "Running command: {}", program.command());
        let follow = |source| ProgramError::Follow {
            program: name.clone(),
            source,
        };
        let group = Group::new(program.grace).map_err(follow)?;
        program.attempt.group_started(group.id());
        let (send, events) = sync_channel(PIECES);
        let mut running = Self {
            name: name.clone(),
            group: Some(group),
            events,
            over: Arc::default(),
            open: 0,
            deadline,
            status: None,
            written: None,
            tails: Default::default(),
            why: None,
            next: None,
            program,
        };
        running.spawn(&send, input, output)?;
        Ok(running)
    }

    /// Starts the process, and the threads around it.
    fn spawn(
        &mut self,
        send: &SyncSender<Event>,
        input: Option<Reader>,
        output: Option<(String, Writer)>,
    ) -> Result<(), ProgramError> {
        let mut command = self.as_command();
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| self.no_start(error))?;
        let follow = |source| ProgramError::Follow {
            program: self.name.clone(),
            source,
        };
        if let (Some(reader), Some(pipe)) = (input, child.stdin.take()) {
            let (send, name) = (send.clone(), format!("the input of {}", self.name));
            let feed = move || pump::feed(reader, pipe, &send, &name);
            start_thread("stdin", feed).map_err(follow)?;
        }
        if let Some(stderr) = child.stderr.take() {
            let (send, over) = (send.clone(), Arc::clone(&self.over));
            let read = move || pump::pass_on(stderr, Stream::Stderr, &send, &over);
            start_thread("stderr", read).map_err(follow)?;
            self.open += 1;
        }
        if let Some(stdout) = child.stdout.take() {
            let (send, over) = (send.clone(), Arc::clone(&self.over));
            let read = move || match output {
                Some((target, writer)) => pump::store(stdout, writer, &send, &over, &target),
                None => pump::pass_on(stdout, Stream::Stdout, &send, &over),
            };
            start_thread("stdout", read).map_err(follow)?;
            self.open += 1;
        }
        let send = send.clone();
        start_thread("wait", move || pump::wait(child, &send)).map_err(follow)
    }

    fn as_command(&self) -> Command {
        let mut command = Command::new(&self.program.program);
        command
            .args(&self.program.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(group) = &self.group {
            command.process_group(group.number());
        }
        for (name, value) in &self.program.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = &self.program.folder {
            command.current_dir(folder);
        }
        command
    }

    fn no_start(&self, source: io::Error) -> ProgramError {
        let folder = self.program.folder.as_ref();
        let reason = match (source.kind(), folder.filter(|folder| !folder.is_dir())) {
            (io::ErrorKind::NotFound, Some(folder)) => {
                format!("its working folder {} is not there", folder.display())
            }
            (io::ErrorKind::NotFound, None) if self.name.contains('/') => {
                "there is no such file, or the interpreter that its first line names is missing"
                    .to_owned()
            }
            (io::ErrorKind::NotFound, None) => {
                "it is in no folder of the PATH; install it, or name it by its path".to_owned()
            }
            (io::ErrorKind::PermissionDenied, _) => {
                "it is not executable for this user; chmod +x, or name the program that reads it"
                    .to_owned()
            }
            _ => "the system refuses".to_owned(),
        };
        ProgramError::Start {
            program: self.name.clone(),
            reason,
            source,
        }
    }

    /// Follows the program to its end.
    pub(crate) fn finish(mut self) -> Result<(), ProgramError> {
        let mut given_up: Option<Instant> = None;
        let mut looked = Instant::now();
        loop {
            let patience = match (self.next, self.status) {
                (None, None) => LOOK,
                _ => LOOK_AGAIN,
            };
            match self.events.recv_timeout(patience) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => {}
                // All has been said, but somebody is left whom nobody hears.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(patience),
            }
            if looked.elapsed() < patience && !(self.status.is_some() && self.next.is_none()) {
                continue;
            }
            looked = Instant::now();
            self.look_at_run();
            if self.status.is_none() || !self.is_alone() {
                continue;
            }
            self.over.store(true, Ordering::SeqCst);
            if self.open == 0 {
                return self.conclude();
            }
            let since = *given_up.get_or_insert_with(Instant::now);
            if self.why.is_some() && since.elapsed() > LAST_OUTPUT {
                return self.conclude();
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<(), ProgramError> {
        match event {
            Event::Printed(stream, lines) => self.take_lines(stream, &lines),
            Event::Closed => self.open -= 1,
            Event::Written(written, last) => {
                self.open -= 1;
                let hidden = self.program.secrets.hide_bytes(&last);
                for line in hidden
                    .as_deref()
                    .unwrap_or(&last)
                    .split(|&byte| pump::is_end(byte))
                {
                    if !line.is_empty() {
                        self.tails[Stream::Stdout as usize].push(line);
                    }
                }
                match written {
                    Ok(writer) => self.written = Some(writer),
                    Err(error) => self.end_for(Why::NoOutput(error)),
                }
            }
            Event::NoInput(error) => self.end_for(Why::NoInput(error)),
            Event::Ended(Ok(status)) => self.status = Some(status),
            Event::Ended(Err(source)) => {
                return Err(ProgramError::Follow {
                    program: self.name.clone(),
                    source,
                });
            }
        }
        Ok(())
    }

    fn take_lines(&mut self, stream: Stream, lines: &[u8]) {
        let hidden = self.program.secrets.hide_bytes(lines);
        let lines = hidden.as_deref().unwrap_or(lines);
        self.program.attempt.printed(stream, lines);
        for line in lines.split(|&byte| pump::is_end(byte)) {
            if line.is_empty() {
                continue;
            }
            self.tails[stream as usize].push(line);
            if !self.program.listeners.is_empty() {
                let text = String::from_utf8_lossy(line);
                for listener in &mut self.program.listeners {
                    listener(stream, &text);
                }
            }
        }
    }

    /// Ends the program when the run is to stop or its time is over, and makes who does not go.
    fn look_at_run(&mut self) {
        if self.why.is_none() {
            if self.program.attempt.stop_requested() {
                self.end_for(Why::Stop);
            } else if let Some((deadline, limit)) = self.deadline
                && self.status.is_none()
                && Instant::now() >= deadline
            {
                self.end_for(Why::TimeOut(limit));
            }
        }
        let Some((due, next)) = self.next else {
            return;
        };
        if Instant::now() < due {
            return;
        }
        match next {
            Next::Ask => self.ask_to_end(),
            Next::Kill => self.group.iter().for_each(Group::kill),
        }
    }

    /// Asks everybody in the group to end. The first reason is the one that is told.
    fn end_for(&mut self, why: Why) {
        if self.why.is_some() {
            return;
        }
        self.why = Some(why);
        self.ask_to_end();
    }

    fn ask_to_end(&mut self) {
        if let Some(group) = &mut self.group {
            group.ask_to_end();
        }
        self.next = Some((Instant::now() + self.program.grace, Next::Kill));
    }

    /// Whether nobody is left of what the program started. Who is left is on the way to be ended.
    fn is_alone(&mut self) -> bool {
        let Some(group) = &self.group else {
            return true;
        };
        if !group.has_others() {
            if let Some(group) = self.group.take() {
                self.program.attempt.group_ended(group.id());
                group.leave();
            }
            return true;
        }
        if self.next.is_none() {
            tracing::debug!(
                target: "luigi-interface",
                "{} has ended, but not all that it started; that is ended, too",
                self.name,
            );
            self.next = Some((Instant::now() + AFTERWARDS, Next::Ask));
        }
        false
    }

    fn conclude(mut self) -> Result<(), ProgramError> {
        let status = self.status.expect("the program has ended");
        let code = status.code();
        let ended = match self.why.take() {
            Some(Why::NoInput(source)) => {
                return Err(ProgramError::Input {
                    program: self.name.clone(),
                    source,
                });
            }
            Some(Why::NoOutput(source)) => {
                return Err(ProgramError::Output {
                    program: self.name.clone(),
                    source,
                });
            }
            Some(Why::Stop) => Ended::Stopped,
            Some(Why::TimeOut(limit)) => Ended::TimedOut(limit),
            None => match code {
                Some(code) if self.program.good_codes.contains(&code) => return self.commit(),
                Some(code) => Ended::Code(code),
                None => Ended::Signal(status.signal().unwrap_or_default()),
            },
        };
        let [stdout, stderr] = std::mem::take(&mut self.tails);
        Err(ProgramError::Failed(Box::new(Failure {
            program: self.name.clone(),
            command: self.program.command(),
            ended,
            stdout: stdout.into_lines(),
            stderr: stderr.into_lines(),
        })))
    }

    fn commit(&mut self) -> Result<(), ProgramError> {
        let Some(writer) = self.written.take() else {
            return Ok(());
        };
        writer.commit().map_err(|source| ProgramError::Output {
            program: self.name.clone(),
            source,
        })
    }
}

impl Drop for Running<'_> {
    /// An error or a panic on the way: nobody is left behind.
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(group) = self.group.take() {
            let id = group.id();
            drop(group);
            self.program.attempt.group_ended(id);
        }
    }
}

fn start_thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let named = thread::Builder::new().name(format!("program-{name}"));
    named.spawn(run).map(drop)
}
