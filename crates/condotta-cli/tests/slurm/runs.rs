//! What a task does elsewhere is what it does here.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use condotta_test_servers::{slurm::state, wait_until};
use serde_json::json;

use crate::{
    Test,
    place::{Place, Server},
};

pub(crate) const TESTS: &[Test] = &[
    ("a_pipeline_makes_the_same_wherever_its_tasks_run", same),
    (
        "what_a_task_prints_and_logs_is_in_its_attempts_log",
        printed,
    ),
    ("a_failure_says_why", failure),
    ("a_task_asks_for_more_while_it_runs", grows),
    ("a_task_says_how_it_goes_and_is_written_to", talks),
    ("a_private_parameter_is_seen_nowhere", secret),
];

fn same() {
    let (here, there) = (Place::new(&[]), Place::new(&["Sum", "Report"]));
    let local = here.run("Report --count 4");
    let sent = there.run("Report --count 4 --workers 2");
    for (place, ran) in [(&here, &local), (&there, &sent)] {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(place.read("report.4"), "the sum is 10");
    }
    assert_eq!(local.summary(), sent.summary());
    sent.says(": ended; no accounting");
    assert_eq!(here.ran("Sum"), [""]);
    let jobs = [there.ran("Sum"), there.ran("Report")].concat();
    assert_eq!(jobs.len(), 2);
    assert!(jobs[0] != jobs[1], "each has a job of its own");
    for job in &jobs {
        assert_eq!(state(job), "COMPLETED");
    }
    assert_eq!(
        there.ran("Numbers"),
        [""],
        "it is not named, so it runs here"
    );
    assert_eq!(there.left(), Vec::<String>::new());
    // A second time there is nothing to do, here or there.
    assert_eq!(there.run("Report --count 4").code, 0);
    assert_eq!(there.ran("Report").len(), 1);
}

fn printed() {
    let (place, server) = (Place::new(&["Sum"]), Server::start());
    let mut worker = place.start(&format!("Sum --count 3 {}", server.flag()));
    assert_eq!(worker.end(), Some(0));
    let log = server.operate(&["log", "Sum_3_"]);
    for line in [
        "printed",
        "complained, by ***",
        "INFO: logged",
        "Submitted ",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    let said = place.read("log");
    assert!(said.contains("\nINFO: logged\n"), "{said}");
}

fn failure() {
    let place = Place::new(&["Fails"]);
    let ran = place.run("Fails --how error --retcode-task-failed 30");
    assert_eq!(ran.code, 30);
    ran.says("out of cheese\n  caused by: out of milk\n");
    ran.says("* 1 failed:");
    let panic = place.run("Fails --how panic");
    panic.says("there is no cheese");
    let jobs = place.ran("Fails");
    assert_eq!(
        jobs.iter().map(|job| state(job)).collect::<Vec<_>>(),
        ["FAILED"; 2]
    );
    // One that ends without a word.
    let exit = place.run("Fails --how exit");
    exit.says("Task Fails_exit_ba5c5af9cf died unexpectedly: ");
    exit.says(": failed with exit code 7");
    // The next try is another job.
    let server = Server::start();
    let command = format!("Fails --how error {}", server.flag());
    place.start(&command).end();
    let error = server.ask("fetch_error", &json!({"task_id": "Fails_error_0b6a5d578f"}));
    assert!(
        error["error"].as_str().unwrap().contains("out of milk"),
        "{error}"
    );
    assert_eq!(place.ran("Fails").len(), 4);
}

fn grows() {
    let place = Place::new(&["Grows", "Numbers"]);
    let ran = place.run("Grows --workers 2");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(place.read("grown"), "5");
    assert_eq!(place.ran("Grows").len(), 2, "it starts from the top");
    assert_eq!(place.ran("Numbers").len(), 2);
    assert!(place.ran("Numbers").iter().all(|job| !job.is_empty()));
    ran.says("* 3 ran successfully:");
}

fn talks() {
    let (place, server) = (Place::new(&["Talks"]), Server::start());
    let mut worker = place.start(&format!("Talks {}", server.flag()));
    let task = json!({"task_id": "Talks__99914b932b"});
    wait_until("it says how it goes", || {
        let progress = server.ask("get_task_progress_percentage", &task);
        progress["progressPercentage"] == 50.0
    });
    let message = server.ask("get_task_status_message", &task);
    assert_eq!(message["statusMessage"], "half way");
    wait_until("it says where it can be watched", || {
        let tasks = server.ask("task_list", &json!({"status": "RUNNING"}));
        tasks["Talks__99914b932b"]["tracking_url"] == "http://cluster/42"
    });
    let mut sent = task.clone();
    sent["worker"] = workers(&server).remove(0).into();
    sent["task"] = sent["task_id"].clone();
    sent["content"] = "hello".into();
    let id = server.ask("send_scheduler_message", &sent)["message_id"].clone();
    assert_eq!(worker.end(), Some(0));
    assert_eq!(place.read("talked"), "hello");
    let mut asked = task;
    asked["message_id"] = id;
    let answer = server.ask("get_scheduler_message_response", &asked);
    assert_eq!(answer["response"], "heard hello");
    let message = server.ask("get_task_status_message", &asked);
    assert_eq!(
        message["statusMessage"], "half way",
        "how the job stands does not replace it"
    );
}

fn workers(server: &Server) -> Vec<String> {
    let workers = server.ask("worker_list", &json!({}));
    let names = workers.as_array().unwrap().iter();
    names
        .map(|worker| worker["name"].as_str().unwrap().to_owned())
        .collect()
}

fn secret() {
    const SECRET: &str = "correct-horse";
    let place = Place::new(&["Sum", "Sleeps"]);
    // The parameter is given to the worker by its configuration, not by its own command line.
    let configuration = place.read("luigi.cfg");
    place.write(
        "luigi.cfg",
        &format!("{configuration}[Sum]\npassword = {SECRET}\n"),
    );
    let mut seen = Vec::new();
    let mut worker = place.start("Sum --count 3 --local-scheduler");
    wait_until("it has run", || {
        seen.extend(command_lines());
        seen.extend(jobs());
        seen.extend(scripts(&place));
        !place.ran("Sum").is_empty()
    });
    assert_eq!(worker.end(), Some(0));
    assert_eq!(place.read("password"), SECRET, "the task had it");
    assert!(
        seen.iter().any(|text| text.contains("--condotta-run")),
        "{seen:#?}"
    );
    assert!(
        seen.iter()
            .any(|text| text.contains("JobName=condotta-run-Sum")),
        "{seen:#?}"
    );
    seen.push(place.read("log"));
    for text in seen {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert_eq!(place.left(), Vec::<String>::new());

    // The worker's own command line is not the job's.
    let mut worker = place.start("Sum --count 4 --password open-sesame --local-scheduler");
    let mut seen = Vec::new();
    wait_until("it has run", || {
        seen.extend(command_lines());
        seen.extend(jobs());
        place.ran("Sum").len() == 2
    });
    assert_eq!(worker.end(), Some(0));
    assert_eq!(place.read("password"), "open-sesame");
    for text in seen {
        assert!(!text.contains("open-sesame"), "{text}");
    }

    // What is left while it runs is for the user alone.
    let mut worker = place.start("Sleeps --local-scheduler");
    wait_until("it runs", || !place.ran("Sleeps").is_empty());
    let folder = place.path("runs").join(&place.left()[0]);
    let mode = fs::metadata(folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    place.write("go", "");
    assert_eq!(worker.end(), Some(0));
}

/// Of all processes of this machine, as `ps` shows them.
fn command_lines() -> Vec<String> {
    let ps = Command::new("ps")
        .args(["-axww", "-o", "args="])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ps.stdout).into_owned();
    text.lines()
        .filter(|line| line.contains("--condotta-run"))
        .map(str::to_owned)
        .collect()
}

/// What everybody sees of the jobs.
fn jobs() -> Vec<String> {
    let scontrol = Command::new("scontrol")
        .args(["show", "job", "--details"])
        .output()
        .unwrap();
    vec![String::from_utf8_lossy(&scontrol.stdout).into_owned()]
}

fn scripts(place: &Place) -> Vec<String> {
    let left = place.left().into_iter();
    left.map(|task| place.read(&format!("runs/{task}/run-{task}/script")))
        .collect()
}
