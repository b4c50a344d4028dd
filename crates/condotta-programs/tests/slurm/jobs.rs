//! What becomes of jobs: well, badly, cancelled, found again, many at once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use condotta_programs::{
    Attempt, Detached, Stream,
    slurm::{SlurmError, SlurmJob, SlurmSettings},
};
use condotta_targets::{LocalTarget, ReadWrite as _, Target as _};
use condotta_test_servers::{slurm::state, wait_until};
use tempfile::TempDir;

use crate::VICTIM;

type Test = (&'static str, fn());

pub(crate) const TESTS: &[Test] = &[
    (
        "a_job_reads_and_writes_targets_and_its_words_are_heard",
        targets,
    ),
    ("what_a_job_took_is_told", account),
    ("a_job_that_fails_says_why_and_leaves_no_output", failure),
    ("a_job_that_takes_too_long_is_ended_by_slurm", time_limit),
    (
        "what_slurm_does_not_take_is_an_error_with_its_reason",
        refused,
    ),
    (
        "an_array_runs_each_element_and_names_those_that_fail",
        array,
    ),
    ("many_jobs_are_followed_by_few_questions", many),
    ("a_run_that_is_to_stop_cancels_its_job", stopped),
    (
        "a_run_that_is_ended_by_a_signal_cancels_its_job",
        ended_by_signal,
    ),
    ("a_run_that_was_killed_is_gone_on_with", killed),
    (
        "a_job_whose_number_was_lost_is_found_by_its_name",
        found_by_name,
    ),
    (
        "a_job_that_ended_while_nobody_looked_is_known",
        ended_unseen,
    ),
    ("another_command_of_the_task_cancels_the_old_job", changed),
];

/// A run of a task of its own.
struct Run {
    id: String,
    said: Detached,
    /// A process of its own, as a task with a time-out has.
    in_child: bool,
}

impl Run {
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            said: Detached::default(),
            in_child: false,
        }
    }
}

impl Attempt for Run {
    fn task_id(&self) -> &str {
        &self.id
    }
    fn printed(&self, stream: Stream, text: &[u8]) {
        self.said.printed(stream, text);
    }
    fn stop_requested(&self) -> bool {
        self.said.stop_requested()
    }
    fn set_tracking_url(&self, _: &str) {}
    fn set_status_message(&self, message: &str) {
        self.said.set_status_message(message);
    }
    fn set_progress_percentage(&self, percentage: f64) {
        self.said.set_progress_percentage(percentage);
    }
    fn secrets(&self) -> Vec<String> {
        vec!["hunter22".to_owned()]
    }
    fn is_ended_by_signal(&self) -> bool {
        self.in_child
    }
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn job<'a>(&self, run: &'a Run, script: &str) -> SlurmJob<'a> {
        job(run, self.0.path(), script)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A process that runs a script as a job, as `victim` does it.
    fn start_victim(&self, id: &str, script: &str, in_child: bool) -> Child {
        fs::write(self.path("victim"), format!("{id}\n{in_child}\n{script}")).unwrap();
        Command::new(std::env::current_exe().unwrap())
            .env(VICTIM, self.0.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn job<'a>(run: &'a Run, folder: &Path, script: &str) -> SlurmJob<'a> {
    let settings = SlurmSettings {
        folder: folder.join("jobs"),
        interval: Duration::from_millis(300),
        options: vec!["--mem=10M".to_owned()],
    };
    SlurmJob::new("sh", run, settings)
        .args(["-c", script, "sh"])
        .current_dir(folder)
}

/// Runs one job, in a process that may be killed.
pub(crate) fn victim() {
    let folder = PathBuf::from(std::env::var_os(VICTIM).unwrap());
    let text = fs::read_to_string(folder.join("victim")).unwrap();
    let (id, rest) = text.split_once('\n').unwrap();
    let (in_child, script) = rest.split_once('\n').unwrap();
    let run = Run {
        in_child: in_child == "true",
        ..Run::new(id)
    };
    job(&run, &folder, script).run().unwrap();
}

/// The number of a task's job, once it is noted.
fn number(place: &Place, id: &str) -> String {
    let path = format!("jobs/{id}/job");
    wait_until("the job's number is noted", || {
        !place.read(&path).is_empty()
    });
    place.read(&path).trim().to_owned()
}

fn targets() {
    let (place, run) = (Place::new(), Run::new("Targets"));
    let input = LocalTarget::new(place.path("in"));
    let output = LocalTarget::new(place.path("out"));
    input.write("b\na\n").unwrap();
    place
        .job(
            &run,
            "sort; echo \"$1 $NAME\" >&2; pwd >&2; echo hunter22 >&2",
        )
        .arg("it's")
        .env("NAME", "value")
        .stdin(&input)
        .stdout(&output)
        .run()
        .unwrap();
    assert_eq!(output.read_to_string().unwrap(), "a\nb\n");
    let folder = place.0.path().canonicalize().unwrap();
    let said = format!("it's value\n{}\n***\n", folder.display());
    assert_eq!(run.said.stderr(), said);
    assert_eq!(run.said.stdout(), "");
    let message = run.said.status_message().unwrap();
    assert!(message.contains(": ended; 00:00:0"), "{message}");
    assert_eq!(fs::read_dir(place.path("jobs")).unwrap().count(), 0);
}

fn account() {
    let (place, run) = (Place::new(), Run::new("Account"));
    // Thirty million bytes in a variable, for as long as it takes to look.
    let script = "big=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 4; test ${#big} = 30000000";
    place.job(&run, script).option("--mem=200M").run().unwrap();
    let message = run.said.status_message().unwrap();
    let (_, account) = message.split_once(": ended; ").unwrap();
    let (elapsed, memory) = account.split_once(" elapsed, ").unwrap();
    assert!(("00:00:04".."00:00:30").contains(&elapsed), "{message}");
    let kilobytes: u64 = memory
        .strip_suffix(" KB of memory")
        .unwrap()
        .parse()
        .unwrap();
    assert!((29_000..200_000).contains(&kilobytes), "{message}");
}

fn failure() {
    let (place, run) = (Place::new(), Run::new("Failure"));
    let output = LocalTarget::new(place.path("out"));
    let script = "echo half; echo 'out of hunter22' >&2; exit 7";
    let error = place.job(&run, script).stdout(&output).run().unwrap_err();
    let SlurmError::Failed {
        elements,
        last_lines,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!((elements.len(), elements[0].code), (1, Some(7)));
    assert_eq!(*last_lines, ["out of ***"]);
    assert!(
        error.to_string().contains(": failed with exit code 7\n"),
        "{error}"
    );
    assert!(!output.exists().unwrap());
    // Another try is another job, which may end better.
    fs::write(place.path("paper"), "").unwrap();
    let again = place.job(&run, "echo whole; test -e paper").stdout(&output);
    again.run().unwrap();
    assert_eq!(output.read_to_string().unwrap(), "whole\n");
}

fn time_limit() {
    let (place, run) = (Place::new(), Run::new("TimeLimit"));
    let begun = Instant::now();
    // Slurm counts whole minutes, so it is told to end the job in another way.
    let victim = place.start_victim("TimeLimit", "sleep 1000", false);
    let number = number(&place, "TimeLimit");
    wait_until("the job runs", || state(&number) == "RUNNING");
    kill(victim, "KILL");
    let update = Command::new("scontrol")
        .args(["update", &format!("JobId={number}"), "TimeLimit=0:01"])
        .status();
    assert!(update.unwrap().success());
    let error = place.job(&run, "sleep 1000").run().unwrap_err();
    let SlurmError::Failed { elements, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        error.to_string().contains(": ended with TIMEOUT\n"),
        "{error}"
    );
    assert_eq!(elements[0].state, "TIMEOUT", "{:?}", begun.elapsed());
}

fn refused() {
    let (place, run) = (Place::new(), Run::new("Refused"));
    let error = place
        .job(&run, "true")
        .partition("no-such")
        .run()
        .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("Slurm does not take sh: "), "{text}");
    assert!(text.contains("invalid partition"), "{text}");
}

fn array() {
    let (place, run) = (Place::new(), Run::new("Array"));
    let output = LocalTarget::new(place.path("out"));
    let script = "echo \"month $1\"; echo \"did $1\" >&2; test \"$1\" != \"$BAD\"";
    let months = |bad: &str| {
        let job = place.job(&run, script).env("BAD", bad).at_once(3);
        (1..=8)
            .fold(job, |job, month| job.element([month]))
            .stdout(&output)
    };
    let error = months("5").run().unwrap_err();
    let SlurmError::Failed {
        elements,
        last_lines,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    let failed: Vec<_> = elements.iter().map(|one| (one.index, one.code)).collect();
    assert_eq!(failed, [(Some(4), Some(1))]);
    assert_eq!(*last_lines, ["did 5"]);
    assert!(!output.exists().unwrap());
    months("none").run().unwrap();
    let expected: String = (1..=8).map(|month| format!("month {month}\n")).collect();
    assert_eq!(output.read_to_string().unwrap(), expected);
    let said = run.said.stderr();
    assert!(said.contains("[7] did 8\n"), "{said}");
}

fn many() {
    let place = Place::new();
    let ids: Vec<String> = (0..6).map(|number| format!("Many{number}")).collect();
    // Each waits for all, so they are followed at the same time.
    let script = "touch at.$1; until [ $(ls at.* | wc -l) = 4 ]; do sleep 0.1; done; sleep 2";
    let questions = condotta_programs::slurm::questions();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for id in &ids[..4] {
            let place = &place;
            scope.spawn(move || place.job(&Run::new(id), script).arg(id).run().unwrap());
        }
    });
    let asked = condotta_programs::slurm::questions() - questions;
    // One question in 300 milliseconds, whatever the number of jobs; other tests have jobs, too.
    let most = begun.elapsed().as_millis() as u64 / 300 + 2;
    assert!(
        (1..=most).contains(&asked),
        "{asked} questions, {most} at most"
    );
}

fn stopped() {
    let (place, run) = (Place::new(), Run::new("Stopped"));
    std::thread::scope(|scope| {
        let job = scope.spawn(|| place.job(&run, "echo $$ > id; sleep 1000").run());
        wait_until("it runs", || !place.read("id").is_empty());
        let number = number(&place, "Stopped");
        run.said.stop();
        let error = job.join().unwrap().unwrap_err();
        assert!(matches!(error, SlurmError::Stopped { .. }), "{error}");
        assert_eq!(state(&number), "CANCELLED");
    });
    let process = Path::new("/proc").join(place.read("id").trim());
    wait_until("its process is gone", || !process.exists());
}

fn kill(mut process: Child, signal: &str) {
    let mut kill = Command::new("kill");
    kill.args([format!("-{signal}"), process.id().to_string()]);
    assert!(kill.status().unwrap().success());
    process.wait().unwrap();
}

fn ended_by_signal() {
    use std::os::unix::process::CommandExt as _;
    let place = Place::new();
    fs::write(
        place.path("victim"),
        "BySignal\ntrue\necho > at; sleep 1000",
    )
    .unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .env(VICTIM, place.0.path())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let number = number(&place, "BySignal");
    wait_until("it runs", || place.path("at").exists());
    // A worker ends the whole group of a task's process.
    let mut kill = Command::new("kill");
    kill.args(["-TERM", "--", &format!("-{}", process.id())]);
    assert!(kill.status().unwrap().success());
    process.wait().unwrap();
    wait_until("the job is cancelled", || state(&number) == "CANCELLED");
}

const UNTIL_TOLD: &str = "echo begun >> log; until [ -e go ]; do sleep 0.1; done; echo $(cat log)";

fn killed() {
    let (place, run) = (Place::new(), Run::new("Killed"));
    let victim = place.start_victim("Killed", UNTIL_TOLD, true);
    let number = number(&place, "Killed");
    wait_until("it runs", || !place.read("log").is_empty());
    kill(victim, "KILL");
    assert_eq!(state(&number), "RUNNING", "the job does not notice");
    let watch = format!("condotta-cancel\0{number}\0");
    wait_until("nobody is left who would cancel it", || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let commands = processes.map(|process| fs::read(process.path().join("cmdline")));
        !commands
            .flatten()
            .any(|command| command.ends_with(watch.as_bytes()))
    });
    fs::write(place.path("go"), "").unwrap();
    let output = LocalTarget::new(place.path("out"));
    place.job(&run, UNTIL_TOLD).stdout(&output).run().unwrap();
    assert_eq!(output.read_to_string().unwrap(), "begun\n", "it ran once");
    let message = run.said.status_message().unwrap();
    assert!(
        message.starts_with(&format!("Slurm job {number}: ")),
        "{message}"
    );
}

fn found_by_name() {
    let (place, run) = (Place::new(), Run::new("Lost"));
    let victim = place.start_victim("Lost", UNTIL_TOLD, false);
    let number = number(&place, "Lost");
    wait_until("it runs", || !place.read("log").is_empty());
    kill(victim, "KILL");
    // As if the worker had been killed between the two.
    fs::remove_file(place.path("jobs/Lost/job")).unwrap();
    fs::write(place.path("go"), "").unwrap();
    place.job(&run, UNTIL_TOLD).run().unwrap();
    assert_eq!(run.said.stdout(), "begun\n", "it ran once");
    let message = run.said.status_message().unwrap();
    assert!(
        message.starts_with(&format!("Slurm job {number}: ")),
        "{message}"
    );
}

fn ended_unseen() {
    for (id, script, good) in [
        ("SeenWell", "echo fine", true),
        ("SeenBad", "exit 9", false),
    ] {
        let (place, run) = (Place::new(), Run::new(id));
        let script = format!("until [ -e go ]; do sleep 0.1; done; echo x >> count; {script}");
        let victim = place.start_victim(id, &script, false);
        let number = number(&place, id);
        wait_until("it runs", || state(&number) == "RUNNING");
        kill(victim, "KILL");
        fs::write(place.path("go"), "").unwrap();
        wait_until("it has ended", || {
            ["COMPLETED", "FAILED"].contains(&state(&number).as_str())
        });
        let ended = place.job(&run, &script).run();
        assert_eq!(ended.is_ok(), good, "{ended:?}");
        assert_eq!(place.read("count"), "x\n", "it ran once");
    }
}

fn changed() {
    let (place, run) = (Place::new(), Run::new("Changed"));
    let victim = place.start_victim("Changed", "echo > at; sleep 1000", false);
    let number = number(&place, "Changed");
    wait_until("it runs", || place.path("at").exists());
    kill(victim, "KILL");
    place.job(&run, "echo new").run().unwrap();
    assert_eq!(run.said.stdout(), "new\n");
    assert_eq!(state(&number), "CANCELLED");
}
