//! A scheduler that lives, its changes in a journal, snapshots taken meanwhile: whenever it dies,
//! the directory holds what it held. And a process that is killed while it writes.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use condotta_scheduler::{
    AddTask, AddWorker, Config, GetWork, InfoValue, Now, RecordCursor, SavedState, Scheduler,
    Status,
};
use condotta_server::state::{self, SnapshotWriter, StateDir, Writer};
use fastrand::Rng;

use crate::sample::{copy, first_ids, quick_home, task_frame, task_ids};

/// Makes requests by chance, and writes down what they change.
struct Life {
    scheduler: Scheduler,
    writer: Writer,
    snapshot: Option<(SnapshotWriter, RecordCursor)>,
    chance: Rng,
    secs: f64,
    finished: usize,
}

impl Life {
    fn step(&mut self) {
        self.secs += self.chance.f64() * 3.0;
        let now = Now::at(self.secs);
        self.request(now);
        let changes = self.scheduler.take_changes();
        if !changes.is_empty() {
            let mut frames = Vec::new();
            state::encode(now, &changes, &mut frames);
            self.writer.write(&frames).expect("written");
        }
        if self.chance.u8(..4) == 0 {
            self.snapshot_step(now);
        }
    }

    fn request(&mut self, now: Now) {
        let worker = format!("worker-{}", self.chance.u8(..3));
        let id = format!("Task_{}", self.chance.u8(..30));
        // Refusals are answers like others: what they change is nothing.
        match self.chance.u8(..10) {
            0..5 => {
                let task = self.task(&worker, &id);
                drop(self.scheduler.add_task(now, task));
            }
            5 | 6 => drop(self.scheduler.get_work(
                now,
                GetWork {
                    worker,
                    ..GetWork::default()
                },
            )),
            7 => {
                let info = vec![("workers".to_owned(), InfoValue::Int(self.chance.i64(1..5)))];
                drop(self.scheduler.add_worker(now, AddWorker { worker, info }));
            }
            8 => self.scheduler.handle_timeout(now),
            _ => match self.chance.u8(..4) {
                0 => drop(self.scheduler.disable_worker(now, &worker)),
                1 => drop(self.scheduler.pause(now)),
                2 => drop(self.scheduler.unpause(now)),
                _ => drop(self.scheduler.update_resource(now, "cpu", 3)),
            },
        }
    }

    fn task(&mut self, worker: &str, id: &str) -> AddTask {
        let statuses = [
            Status::Pending,
            Status::Pending,
            Status::Done,
            Status::Failed,
        ];
        let mut task = AddTask::new(worker, id);
        task.status = statuses[self.chance.usize(..4)];
        task.priority = f64::from(self.chance.u8(..3));
        task.family = "Task".to_owned();
        if self.chance.bool() {
            task.deps = Some(vec![format!("Task_{}", self.chance.u8(..30))]);
        }
        if self.chance.bool() {
            task.resources = Some([("cpu".to_owned(), 1)].into());
        }
        task
    }

    fn snapshot_step(&mut self, now: Now) {
        let Some((mut writer, cursor)) = self.snapshot.take() else {
            let writer = self.writer.begin_snapshot().expect("begun");
            self.snapshot = Some((writer, RecordCursor::default()));
            return;
        };
        let (records, next) = self.scheduler.read_records(cursor, 4);
        let mut frames = Vec::new();
        state::encode(now, &records, &mut frames);
        writer.write(&frames).expect("written");
        match next {
            Some(cursor) => self.snapshot = Some((writer, cursor)),
            None => {
                writer.finish().expect("finished");
                self.finished += 1;
            }
        }
    }

    /// All that the scheduler holds now.
    fn held(&self) -> SavedState {
        let mut saved = SavedState::default();
        let (records, _) = self
            .scheduler
            .read_records(RecordCursor::default(), usize::MAX);
        records.into_iter().for_each(|record| saved.apply(record));
        saved
    }
}

#[test]
fn a_directory_holds_what_the_scheduler_held_whenever_it_died() {
    let home = quick_home();
    let [path, then] = ["state", "then"].map(|name| home.path().join(name));
    let config = Config {
        keep_changes: true,
        retry_delay: 20.0,
        remove_delay: 30.0,
        worker_disconnect_delay: 25.0,
        ..Config::default()
    };
    let mut life = Life {
        scheduler: Scheduler::new(config, [("cpu".to_owned(), 2)].into(), 1),
        writer: StateDir::open(&path).expect("a new one").writer,
        snapshot: None,
        chance: Rng::with_seed(42),
        secs: 0.0,
        finished: 0,
    };
    for step in 0..1500 {
        life.step();
        if step % 3 == 0 {
            copy(&path, &then);
            let opened = StateDir::open(&then).expect("it opens");
            assert_eq!(opened.saved, life.held(), "after step {step}");
            assert!(opened.monotonic.0 <= life.secs);
        }
    }
    assert!(life.finished > 20, "{} snapshots", life.finished);
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    if let Some(path) = env::var_os("CONDOTTA_TEST_KILLED") {
        return write_for_ever(Path::new(&path));
    }
    let home = tempfile::tempdir().expect("a directory");
    for kill_after in [0, 1, 5, 23, 40] {
        let path = home.path().join(kill_after.to_string());
        let mut child = Command::new(env::current_exe().expect("a program"))
            .args([
                "--exact",
                "living::a_killed_process_loses_nothing_that_it_acknowledged",
            ])
            .arg("--nocapture")
            .env("CONDOTTA_TEST_KILLED", &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut acknowledged = 0;
        for line in output.lines() {
            let line = line.expect("text");
            let Some(count) = line.strip_prefix("acknowledged ") else {
                continue;
            };
            acknowledged = count.parse().expect("a number");
            if acknowledged >= kill_after {
                // What it acknowledges until it is dead counts as well.
                child.kill().expect("killed");
            }
        }
        child.wait().expect("it ended");
        let ids = task_ids(&path);
        assert!(
            acknowledged >= kill_after && ids.len() >= acknowledged,
            "{acknowledged} {ids:?}"
        );
        assert_eq!(ids, first_ids(ids.len()));
    }
}

/// Writes, with a snapshot after every tenth task, until it is killed.
fn write_for_ever(path: &Path) {
    let mut opened = StateDir::open(path).expect("a new one");
    println!();
    for count in 0..9999 {
        opened.writer.write(&task_frame(count)).expect("written");
        println!("acknowledged {}", count + 1);
        if count % 10 == 9 {
            let mut snapshot = opened.writer.begin_snapshot().expect("begun");
            (0..=count).for_each(|index| snapshot.write(&task_frame(index)).expect("written"));
            snapshot.finish().expect("finished");
        }
    }
}
