//! The live display: a line for each running task, and an overall bar.
//!
//! The worker's threads only note what happened; one thread draws, ten times a second.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use condotta_scheduler::Status;
use condotta_worker::{Observer, Runnable, TaskCounts};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::running::Board;

/// Time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// More running tasks than this share a line.
const MOST_TASK_LINES: usize = 10;

/// A display that is shown until [`Display::close`], or until it is dropped.
pub(crate) struct Display {
    shared: Arc<Shared>,
    drawer: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    board: Mutex<Board>,
    closed: Mutex<bool>,
    wake: Condvar,
}

impl Display {
    /// Shows the display on standard error.
    pub(crate) fn open() -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            board: Mutex::new(Board::new(Instant::now())),
            closed: Mutex::new(false),
            wake: Condvar::new(),
        });
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        super::show(Some(multi.clone()));
        let drawer = std::thread::Builder::new()
            .name("condotta-display".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || draw(&shared, &multi)
            })?;
        Ok(Self {
            shared,
            drawer: Mutex::new(Some(drawer)),
        })
    }

    /// Takes the display away.
    pub(crate) fn close(&self) {
        *lock(&self.shared.closed) = true;
        self.shared.wake.notify_all();
        if let Some(drawer) = lock(&self.drawer).take() {
            // What the drawing thread panics with has been printed.
            let _ = drawer.join();
        }
        super::show(None);
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.shared.board)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.close();
    }
}

impl Observer for Display {
    fn task_planned(&self, _: &dyn Runnable, _: Status, counts: &TaskCounts) {
        self.board().count(counts);
    }

    fn run_started(&self, counts: &TaskCounts) {
        let mut board = self.board();
        board.count(counts);
        board.planned();
    }

    fn task_started(&self, task: &dyn Runnable, counts: &TaskCounts) {
        let name = task.display_name();
        let mut board = self.board();
        board.count(counts);
        board.start(task.task_id(), name, Instant::now());
    }

    fn task_finished(&self, task: &dyn Runnable, _: Status, counts: &TaskCounts) {
        let mut board = self.board();
        board.count(counts);
        board.finish(task.task_id());
    }

    fn task_progress(&self, task: &dyn Runnable, percentage: f64) {
        self.board().progress(task.task_id(), percentage);
    }

    fn task_status_message(&self, task: &dyn Runnable, message: &str) {
        self.board().message(task.task_id(), message);
    }

    fn run_finished(&self, counts: &TaskCounts) {
        self.board().count(counts);
    }
}

/// Draws until the display is closed. The first frame comes after a moment, so that short runs
/// show none.
fn draw(shared: &Shared, multi: &MultiProgress) {
    let mut frame = Frame::new(multi);
    loop {
        let closed = lock(&shared.closed);
        let (closed, _) = shared
            .wake
            .wait_timeout_while(closed, FRAME, |closed| !*closed)
            .unwrap_or_else(PoisonError::into_inner);
        if *closed {
            break;
        }
        drop(closed);
        let (lines, overall, (done, total)) = {
            let board = lock(&shared.board);
            let now = Instant::now();
            (
                board.task_lines(MOST_TASK_LINES, now),
                board.overall(now),
                board.done_and_total(),
            )
        };
        frame.show(multi, &lines, overall, done, total);
    }
    // A terminal that is gone needs no clearing.
    let _ = multi.clear();
}

/// The bars on the screen.
struct Frame {
    tasks: Vec<ProgressBar>,
    overall: ProgressBar,
    task_style: ProgressStyle,
}

impl Frame {
    fn new(multi: &MultiProgress) -> Self {
        let coloured = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let (task, overall) = if coloured {
            (
                "{spinner:.cyan} {wide_msg}",
                "[{bar:24.green}] {pos}/{len} {wide_msg}",
            )
        } else {
            ("{spinner} {wide_msg}", "[{bar:24}] {pos}/{len} {wide_msg}")
        };
        let style = |template| {
            ProgressStyle::with_template(template).expect("the templates are well-formed")
        };
        let bar = multi.add(ProgressBar::new(0));
        bar.set_style(style(overall).progress_chars("=> "));
        Self {
            tasks: Vec::new(),
            overall: bar,
            task_style: style(task),
        }
    }

    fn show(
        &mut self,
        multi: &MultiProgress,
        lines: &[String],
        overall: String,
        done: u64,
        total: u64,
    ) {
        while self.tasks.len() > lines.len() {
            if let Some(bar) = self.tasks.pop() {
                multi.remove(&bar);
            }
        }
        while self.tasks.len() < lines.len() {
            let bar = multi.insert_before(&self.overall, ProgressBar::new_spinner());
            bar.set_style(self.task_style.clone());
            self.tasks.push(bar);
        }
        for (bar, line) in self.tasks.iter().zip(lines) {
            bar.set_message(line.clone());
            bar.tick();
        }
        self.overall.set_length(total);
        self.overall.set_position(done);
        self.overall.set_message(overall);
        self.overall.tick();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
