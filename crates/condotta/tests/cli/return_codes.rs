//! Exit codes, with and without section `[retcode]`.

use crate::program::{Ended, Place};

const CODES: &str = "[core]
local_scheduler = true
[retcode]
already_running = 10
missing_data = 20
not_run = 25
task_failed = 30
scheduling_error = 35
unhandled_exception = 40
";

fn with_codes(arguments: &str) -> Ended {
    let place = Place::new();
    place.write("luigi.cfg", CODES);
    place.run(arguments)
}

#[test]
fn by_default_a_failed_task_is_no_failure_of_the_program() {
    for (task, status) in [
        ("Fail", "failed"),
        ("NeedsElsewhere", "were missing external dependencies"),
        ("Unsure", "failed scheduling"),
    ] {
        let ended = Place::new()
            .run(&format!("{task} --local-scheduler"))
            .succeeded();
        ended.says(&format!("* 1 {status}"));
    }
}

#[test]
fn what_happened_has_its_code() {
    for (arguments, code) in [
        ("Greet --name Ann", 0),
        ("Fail", 30),
        ("Panic", 30),
        ("NeedsElsewhere", 20),
        ("Elsewhere", 20),
        ("Unsure", 35),
        ("Greet --name Ann --times often", 40),
        ("Greet", 40),
        ("Fail --retcode-task-failed 31", 31),
        ("Greet --retcode-unhandled-exception 41", 41),
    ] {
        let ended = with_codes(arguments);
        assert_eq!(ended.code, code, "{arguments}: {ended:#?}");
    }
}

#[test]
fn a_panic_of_a_task_is_its_failure() {
    let ended = with_codes("Panic");
    ended.says("failed    Panic()");
    ended.says("this task always panics");
}

#[test]
fn a_code_is_a_number_that_the_system_can_take() {
    let ended = Place::new().run("Fail --local-scheduler --retcode-task-failed 1000");
    assert_eq!(ended.code, 4);
    ended.says("[retcode] task_failed is \"1000\" (--retcode-task-failed): ");
}

#[test]
fn the_same_command_does_not_run_twice() {
    let place = Place::new();
    place.write("luigi.cfg", CODES);
    let arguments = "Wait --started started --until go";
    let first = place.start(arguments);
    place.wait_for("started");
    let second = place.run(arguments);
    assert_eq!(second.code, 10, "{second:#?}");
    assert!(second.stdout.contains("already running"), "{second:#?}");
    let other = place.run("Greet --name Ann");
    assert_eq!(other.code, 0, "{other:#?}");
    place.write("go", "");
    first.end().succeeded();
    place.run(arguments).succeeded();
}

#[test]
fn the_lock_can_be_left_out_or_made_wider() {
    for flag in ["--no-lock", "--lock-size 2"] {
        let place = Place::new();
        place.write("luigi.cfg", CODES);
        let arguments = format!("Wait --started started --until go {flag}");
        let first = place.start(&arguments);
        place.wait_for("started");
        std::fs::remove_file(place.path("started")).unwrap();
        let second = place.start(&arguments);
        place.wait_for("started");
        place.write("go", "");
        for process in [first, second] {
            process.end().succeeded();
        }
    }
}

#[test]
fn taking_the_lock_tells_the_others_to_leave() {
    let place = Place::new();
    place.write("luigi.cfg", CODES);
    let arguments = "GreetAfterWait --started started --until go --take-lock";
    let first = place.start(arguments);
    place.wait_for("started");
    std::fs::remove_file(place.path("started")).unwrap();
    let second = place.start(arguments);
    place.wait_for("started");
    place.write("go", "");
    let first = first.end();
    first.says("SIGUSR1: asking for no more work");
    assert_eq!(first.code, 25, "{first:#?}");
    let second = second.end().succeeded();
    assert!(
        second.stdout.starts_with("Sent kill signal to Pids: {"),
        "{second:#?}"
    );
}

#[test]
fn a_task_that_takes_too_long_is_stopped_in_its_process() {
    let place = Place::new();
    place.write("luigi.cfg", CODES);
    let ended = place.run("Wait --started started --until go --worker-timeout 1 --log-level ERROR");
    assert_eq!(ended.code, 30, "{ended:#?}");
    ended.says("ERROR: Task Wait_");
    ended.says("timed out after 1 seconds and was terminated.");
}
