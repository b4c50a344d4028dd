//! `condotta log`: what an attempt printed, also while it runs.

use std::{
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read, Write},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{
    arguments::LogArguments,
    connection::{PAUSE, Scheduler, escaped},
    find,
    harmless::harmless_lines,
    history::is_attempt_id,
};
use crate::error::{Failure, Kind};

/// The server says at least so often that it lives.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(arguments: &LogArguments) -> Result<(), Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let place = place(&scheduler, arguments)?;
    let mut out = Printed {
        out: io::stdout().lock(),
        as_json: arguments.common.json,
        on_terminal: io::stdout().is_terminal(),
        next: None,
        ended: false,
    };
    let mut was_there = false;
    loop {
        let mut path = format!("{place}format=json");
        if arguments.follow {
            path += "&follow=true";
        }
        match (out.next, arguments.tail) {
            (Some(next), _) => path += &format!("&offset={next}"),
            (None, Some(tail)) => path += &format!("&tail={tail}"),
            (None, None) => {}
        }
        let open = || {
            let stream = scheduler.stream(&path, PATIENCE)?;
            stream.ok_or_else(|| scheduler.only_ours("keeps no logs and ends no runs"))
        };
        let stream = if was_there {
            scheduler.patiently(open)?
        } else {
            open()?
        };
        was_there = true;
        if !out.copy(stream)? {
            return Ok(());
        }
        if !arguments.follow || out.ended {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
}

/// The path of the log, with the beginning of the query.
fn place(scheduler: &Scheduler, arguments: &LogArguments) -> Result<String, Failure> {
    if is_attempt_id(&arguments.of) && arguments.attempt.is_none() {
        return Ok(format!("attempts/{}/log?", arguments.of));
    }
    let found = find::task(scheduler, &arguments.of);
    let id = match found {
        Ok(task) => task.id,
        // The scheduler may have forgotten it, and its logs are there still.
        Err(failure) if failure.kind() == Kind::NotFound && arguments.attempt.is_some() => {
            arguments.of.clone()
        }
        Err(failure) => return Err(failure),
    };
    let attempt = arguments.attempt;
    let attempt = attempt.map_or_else(String::new, |attempt| format!("attempt={attempt}&"));
    Ok(format!("tasks/{}/log?{attempt}", escaped(&id)))
}

struct Printed<W> {
    out: W,
    as_json: bool,
    on_terminal: bool,
    /// Where what comes next begins.
    next: Option<u64>,
    ended: bool,
}

impl<W: Write> Printed<W> {
    /// Prints what comes. Whether anybody reads it.
    fn copy(&mut self, stream: impl Read) -> Result<bool, Failure> {
        for line in BufReader::new(stream).lines() {
            // A connection that broke is made anew.
            let Ok(line) = line else { break };
            let Ok(piece) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if piece["source"] == "end" {
                self.ended = true;
                break;
            }
            match self.print(&line, &piece) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
                Err(error) => {
                    let text = format!("cannot write to standard output: {error}");
                    return Err(Failure::new(Kind::Other, text));
                }
            }
            if let Some(next) = piece["next"].as_u64() {
                self.next = Some(next);
            }
        }
        Ok(true)
    }

    fn print(&mut self, line: &str, piece: &Value) -> io::Result<()> {
        if self.as_json {
            writeln!(self.out, "{line}")?;
            return self.out.flush();
        }
        if let Some(level) = piece["level"].as_str() {
            write!(self.out, "{level}: ")?;
        }
        let text = piece["text"].as_str().unwrap_or_default();
        if self.on_terminal {
            let end = if text.ends_with('\n') { "\n" } else { "" };
            write!(self.out, "{}{end}", harmless_lines(text))?;
        } else {
            self.out.write_all(text.as_bytes())?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(on_terminal: bool, lines: &str) -> (String, Option<u64>, bool) {
        let mut out = Printed {
            out: Vec::new(),
            as_json: false,
            on_terminal,
            next: None,
            ended: false,
        };
        assert!(out.copy(lines.as_bytes()).unwrap());
        let text = String::from_utf8(out.out).unwrap();
        (text, out.next, out.ended)
    }

    #[test]
    fn pieces_are_printed_until_the_end_and_a_terminal_obeys_nothing_in_them() {
        let lines = "\n{\"source\": \"stdout\", \"text\": \"a\\u001b[2Jb\\n\", \"next\": 7}\n\
                     {\"source\": \"log\", \"level\": \"INFO\", \"text\": \"c\\n\", \"next\": 9}\n\
                     {\"source\": \"end\"}\n{\"text\": \"d\"}\n";
        let (text, next, ended) = printed(false, lines);
        assert_eq!((next, ended), (Some(9), true));
        assert_eq!(text, "a\u{1b}[2Jb\nINFO: c\n");
        assert_eq!(printed(true, lines).0, "a\\u{1b}[2Jb\nINFO: c\n");
    }
}
