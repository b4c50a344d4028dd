//! What the display knows: which tasks run, since when, what they say, and how many there are.

use std::time::{Duration, Instant};

use condotta_worker::TaskCounts;

/// A task that runs.
#[derive(Debug)]
struct Running {
    task_id: String,
    name: String,
    since: Instant,
    progress: Option<f64>,
    message: Option<String>,
}

/// The tasks that run, longest first, and numbers of tasks by status.
#[derive(Debug)]
pub(super) struct Board {
    running: Vec<Running>,
    counts: TaskCounts,
    planning: bool,
    since: Instant,
}

impl Board {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            running: Vec::new(),
            counts: TaskCounts::default(),
            planning: true,
            since: now,
        }
    }

    pub(super) fn count(&mut self, counts: &TaskCounts) {
        self.counts = *counts;
    }

    pub(super) fn planned(&mut self) {
        self.planning = false;
    }

    pub(super) fn start(&mut self, task_id: &str, name: String, now: Instant) {
        self.running.push(Running {
            task_id: task_id.to_owned(),
            name: one_line(&name),
            since: now,
            progress: None,
            message: None,
        });
    }

    pub(super) fn finish(&mut self, task_id: &str) {
        self.running.retain(|running| running.task_id != task_id);
    }

    pub(super) fn progress(&mut self, task_id: &str, percentage: f64) {
        if let Some(running) = self.find(task_id) {
            running.progress = Some(percentage);
        }
    }

    pub(super) fn message(&mut self, task_id: &str, message: &str) {
        if let Some(running) = self.find(task_id) {
            running.message = message.lines().next().map(one_line);
        }
    }

    /// How many tasks are done, of how many known ones. More may become known while tasks run.
    pub(super) fn done_and_total(&self) -> (u64, u64) {
        let done = self.counts.done + self.counts.already_done;
        (done, self.counts.total)
    }

    /// One line for each of the tasks that run longest, and one for the others, if any.
    pub(super) fn task_lines(&self, most: usize, now: Instant) -> Vec<String> {
        let mut lines: Vec<String> = self
            .running
            .iter()
            .take(most)
            .map(|running| running.line(now))
            .collect();
        if self.running.len() > most {
            lines.push(format!("… and {} more", self.running.len() - most));
        }
        lines
    }

    /// The counts by status and the time so far.
    pub(super) fn overall(&self, now: Instant) -> String {
        let counts = &self.counts;
        let mut parts = Vec::new();
        if self.planning {
            parts.push("planning".to_owned());
        }
        for (count, what) in [
            (counts.running, "running"),
            (counts.pending, "pending"),
            (counts.done, "done"),
            (counts.already_done, "complete before"),
            (counts.failed, "failed"),
            (counts.unschedulable, "not scheduled"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        parts.push(clock(now.saturating_duration_since(self.since)));
        parts.join(" · ")
    }

    fn find(&mut self, task_id: &str) -> Option<&mut Running> {
        self.running
            .iter_mut()
            .find(|running| running.task_id == task_id)
    }
}

impl Running {
    fn line(&self, now: Instant) -> String {
        let mut line = clock(now.saturating_duration_since(self.since));
        if let Some(progress) = self.progress {
            line.push_str(&format!(" {progress:3.0} %"));
        }
        line.push(' ');
        line.push_str(&self.name);
        if let Some(message) = &self.message {
            line.push_str(" — ");
            line.push_str(message);
        }
        line
    }
}

/// Without what would move the cursor or colour the rest.
fn one_line(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// A length of time as on a clock: `0:07`, `12:34`, `1:02:03`.
fn clock(time: Duration) -> String {
    let secs = time.as_secs();
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_time_progress_name_and_message() {
        let start = Instant::now();
        let mut board = Board::new(start);
        board.start("a", "A(x=1)".to_owned(), start);
        board.start("b", "B()".to_owned(), start + Duration::from_secs(60));
        board.start("c", "C()".to_owned(), start);
        board.progress("a", 45.0);
        board.message("a", "\u{1b}[2Jloading\nmore");
        board.message("z", "nobody");
        let now = start + Duration::from_secs(3725);
        assert_eq!(
            board.task_lines(2, now),
            [
                "1:02:05  45 % A(x=1) — [2Jloading",
                "1:01:05 B()",
                "… and 1 more"
            ]
        );
        board.finish("a");
        assert_eq!(board.task_lines(2, now), ["1:01:05 B()", "1:02:05 C()"]);
    }

    #[test]
    fn the_overall_line_counts_what_there_is() {
        let start = Instant::now();
        let mut board = Board::new(start);
        assert_eq!(board.overall(start), "planning · 0:00");
        board.planned();
        board.count(&TaskCounts {
            total: 10,
            already_done: 2,
            done: 3,
            failed: 1,
            running: 1,
            pending: 3,
            unschedulable: 0,
        });
        assert_eq!(board.done_and_total(), (5, 10));
        assert_eq!(
            board.overall(start + Duration::from_secs(34)),
            "1 running · 3 pending · 3 done · 2 complete before · 1 failed · 0:34"
        );
    }
}
