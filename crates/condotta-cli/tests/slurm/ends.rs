//! How a run elsewhere is ended, and what becomes of it when its worker goes.

use condotta_test_servers::{slurm::state, wait_until};

use crate::{
    Test,
    place::{Place, Server},
};

pub(crate) const TESTS: &[Test] = &[
    ("a_run_whose_time_is_over_ends_its_job", timed_out),
    ("a_run_that_is_cancelled_ends_its_job", cancelled),
    ("a_worker_that_is_told_twice_to_stop_ends_its_jobs", stopped),
    ("a_worker_that_was_killed_goes_on_with_its_job", killed),
    (
        "a_job_that_ended_while_no_worker_looked_is_not_run_again",
        unseen,
    ),
    ("a_task_with_another_parameter_is_another_run", another),
];

const ID: &str = "Sleeps_0_7e7abe0535";

/// Waits until the task runs on the node. Returns its job.
fn job(place: &Place) -> String {
    wait_until("it runs", || !place.ran("Sleeps").is_empty());
    place.ran("Sleeps").remove(0)
}

fn timed_out() {
    let place = Place::new(&["Sleeps"]);
    let ran = place.run("Sleeps --timeout 2");
    ran.says(" timed out after 2 seconds and was terminated.");
    assert_eq!(state(&job(&place)), "CANCELLED");
    assert_eq!(place.read("slept"), "");
}

fn cancelled() {
    let (place, server) = (Place::new(&["Sleeps"]), Server::start());
    let mut worker = place.start(&format!("Sleeps {}", server.flag()));
    let job = job(&place);
    server.operate(&["cancel", ID]);
    assert_eq!(worker.end(), Some(0));
    assert_eq!(state(&job), "CANCELLED");
    let log = place.read("log");
    let text = format!("Task {ID} was cancelled by ");
    assert!(log.contains(&text), "{log}");
}

fn stopped() {
    let place = Place::new(&["Sleeps"]);
    let mut worker = place.start("Sleeps --local-scheduler");
    let job = job(&place);
    worker.send("TERM");
    wait_until("it has heard", || {
        place.read("log").contains("SIGTERM: finishing what runs")
    });
    assert_eq!(state(&job), "RUNNING");
    worker.send("TERM");
    assert_eq!(worker.end(), Some(143));
    wait_until("the job ends", || state(&job) == "CANCELLED");
}

fn killed() {
    let place = Place::new(&["Sleeps"]);
    let mut worker = place.start("Sleeps --local-scheduler");
    let job = job(&place);
    worker.send("KILL");
    worker.end();
    assert_eq!(state(&job), "RUNNING");
    let mut worker = place.start("Sleeps --local-scheduler --workers 2");
    let going_on = format!("Going on with Slurm job {job}\n");
    wait_until("it is found", || place.read("log").contains(&going_on));
    place.write("go", "");
    assert_eq!(worker.end(), Some(0));
    assert_eq!(place.read("slept"), "well");
    assert_eq!(place.ran("Sleeps"), [job], "it ran once");
    assert!(
        place.read("log").contains("* 1 ran successfully:"),
        "{}",
        place.read("log")
    );
    assert_eq!(place.left(), Vec::<String>::new());
}

fn unseen() {
    let place = Place::new(&["Sleeps"]);
    let mut worker = place.start("Sleeps --local-scheduler");
    let job = job(&place);
    worker.send("KILL");
    worker.end();
    place.write("go", "");
    wait_until("the job ends", || state(&job) == "COMPLETED");
    // So that the task is looked at: its output would say that there is nothing to do.
    std::fs::rename(place.path("slept"), place.path("kept")).unwrap();
    let ran = place.run("Sleeps");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.says("* 1 ran successfully:");
    assert_eq!(place.ran("Sleeps"), [job], "it ran once");
}

fn another() {
    let place = Place::new(&["Sleeps"]);
    let mut worker = place.start("Sleeps --local-scheduler");
    let first = job(&place);
    let mut other = place.start("Sleeps --timeout 100 --local-scheduler");
    wait_until("the other one runs", || place.ran("Sleeps").len() == 2);
    assert_eq!(state(&first), "RUNNING");
    place.write("go", "");
    assert_eq!((worker.end(), other.end()), (Some(0), Some(0)));
}
