//! Which task runs, with which parameters; help, and what is said when that cannot be told.

use crate::program::Place;

#[test]
fn a_task_runs_with_its_parameters() {
    let place = Place::new();
    let ended = place
        .run("Greet --local-scheduler --name Ann --times 2 --shout")
        .succeeded();
    assert_eq!(place.output("greeting-Ann"), "HELLO ANN!\nHELLO ANN!\n");
    ended.says("Scheduled 1 tasks of which:\n* 1 ran successfully:\n    - 1 Greet(name=Ann,");
    assert_eq!(ended.stdout, "");
}

#[test]
fn what_is_complete_does_not_run_again() {
    let place = Place::new();
    place
        .run("GreetAll --local-scheduler --count 2")
        .succeeded();
    let again = place
        .run("GreetAll --local-scheduler --count 2")
        .succeeded();
    again.says(
        "* 1 complete ones were encountered:\n    - 1 GreetAll(count=2)\n\nDid not run any tasks",
    );
}

#[test]
fn so_many_tasks_run_at_a_time_as_there_are_workers() {
    let place = Place::new();
    let ended = place.run("Meet --local-scheduler --workers 2").succeeded();
    ended.says("INFO: Running Worker with 2 processes\n");
    ended.says("* 3 ran successfully:\n    - 1 Meet()\n    - 2 Wait(");
}

#[test]
fn flags_can_be_cut_short_and_values_attached() {
    let place = Place::new();
    place
        .run("Greet --local-s --na=Bo --tim 3 --mean-it true --tone=Cool")
        .succeeded();
    assert_eq!(place.output("greeting-Bo").lines().count(), 3);
    let ended = place.run("Greet --local-scheduler --name -x").succeeded();
    ended.says("Greet(name=-x, ");
}

#[test]
fn a_class_can_be_given_parameters_wherever_it_is_required() {
    let place = Place::new();
    place
        .run("deep.down.Nested --local-scheduler --deep.down.Nested-text hi")
        .succeeded();
    assert_eq!(place.output("nested"), "hi");
    let own = Place::new();
    own.run("deep.down.Nested --local-scheduler --deep.down.Nested-text hi --text own")
        .succeeded();
    assert_eq!(own.output("nested"), "own");
}

#[test]
fn without_a_task_the_tasks_are_named() {
    let ended = Place::new().run("--local-scheduler");
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.starts_with("No task specified\n"),
        "{}",
        ended.stderr
    );
    ended.says("Greet, GreetAfterWait, GreetAll, ");
}

#[test]
fn a_misspelt_task_is_answered_with_near_ones() {
    let ended = Place::new().run("GreetAl --local-scheduler");
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .stderr
            .starts_with("No task GreetAl. Did you mean:\nGreetAll\n"),
        "{}",
        ended.stderr
    );
    let far = Place::new().run("SomethingElseEntirely");
    far.says("No task SomethingElseEntirely. Candidates are: Elsewhere,Fail,FailOwned,Greet,");
    ended.does_not_say("Greet\n");
    far.says("`use that_crate as _;`, or App::register");
    let late = Place::new().run("--name Ann Greet");
    late.says("The task comes first: Greet before its parameters");
}

#[test]
fn a_misspelt_flag_is_an_error_with_the_nearest_one() {
    let ended = Place::new().run("Greet --nane Ann");
    assert_eq!(ended.code, 2);
    ended.says("cli_pipeline: error: unrecognized arguments: --nane Ann\ndid you mean --name?");
    let ambiguous = Place::new().run("Greet --worker 2");
    assert_eq!(ambiguous.code, 2);
    ambiguous.says("ambiguous option: --worker could match --worker-cache-task-completion, ");
    let more = Place::new().run("Greet --name Ann Bob");
    assert_eq!(more.code, 2);
    more.says("unrecognized arguments: Bob");
}

#[test]
fn missing_and_invalid_parameters_are_named() {
    let place = Place::new();
    let missing = place.run("Greet --local-scheduler");
    assert_eq!(missing.code, 4);
    missing.says("ERROR: Greet: missing parameter name: give --name");
    let invalid = place.run("Greet --local-scheduler --name Ann --times often");
    assert_eq!(invalid.code, 4);
    invalid.says("ERROR: Greet: parameter times: \"often\" is not valid");
    let core = place.run("Greet --local-scheduler --name Ann --workers many");
    assert_eq!(core.code, 4);
    core.says("ERROR: [core] workers is \"many\" (--workers): ");
    let choice = place.run("Greet --local-scheduler --name Ann --log-level LOUD");
    choice.says("choose one of NOTSET, DEBUG, INFO, WARNING, ERROR, CRITICAL");
}

#[test]
fn help_lists_the_tasks_or_the_flags_of_one() {
    let general = Place::new().run("--help").succeeded();
    assert!(
        general.stdout.contains("\nTasks:\n  Elsewhere "),
        "{}",
        general.stdout
    );
    assert!(general.stdout.contains("--local-scheduler"));
    assert!(!general.stdout.contains("--worker-keep-alive"));
    let task = Place::new().run("Greet --help").succeeded();
    assert!(
        task.stdout.starts_with("Greets somebody."),
        "{}",
        task.stdout
    );
    assert!(
        task.stdout
            .contains("--times <TIMES>        How often. [default: 1]")
    );
    assert!(!task.stdout.contains("--Greet-times"));
    assert!(task.stdout.contains("Whom to greet. [required]"));
    let all = Place::new().run("Greet --help-all").succeeded();
    for flag in [
        "--Greet-times",
        "--worker-keep-alive",
        "--deep.down.Nested-text",
        "--output-folder",
    ] {
        assert!(all.stdout.contains(flag), "{flag}");
    }
}

#[test]
fn the_version_is_printed() {
    let ended = Place::new().run("--version").succeeded();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(ended.stdout, format!("cli_pipeline (condotta {version})\n"));
}

#[test]
fn a_module_is_accepted_with_a_note() {
    let place = Place::new();
    let ended = place
        .run("--module pipeline Greet --local-scheduler --name Ann")
        .succeeded();
    ended.says("WARNING: --module pipeline is ignored: ");
}

#[test]
fn where_nobody_listens_the_way_out_is_told() {
    let place = Place::new();
    place.write("luigi.cfg", "[core]\nrpc_retry_attempts=1\n");
    let ended = place.run("Greet --name Ann --scheduler-host 127.0.0.1 --scheduler-port 1");
    assert_eq!(ended.code, 4);
    ended.says("cannot reach the scheduler at http://127.0.0.1:1 (add_task): ");
    ended.says("Connection refused");
    ended.says("1 attempt(s) in 0.0 seconds; start a scheduler there (`condotta scheduler`");
    ended.says("or run without one (--local-scheduler)");
}

#[test]
fn a_password_is_shown_nowhere_and_failing_pings_are_told_once() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[core]\nrpc_retry_attempts=2\nrpc_retry_wait=0.8\n[worker]\nping_interval=0.1\n",
    );
    let ended = place.run("Greet --name Ann --scheduler-url http://me:secret@127.0.0.1:1/p/");
    assert_eq!(ended.code, 4);
    ended.says("WARNING: Failed connecting to remote scheduler 'http://me@127.0.0.1:1/p'");
    ended.says("INFO: Retrying attempt 2, for 1 seconds at most");
    ended.does_not_say("secret");
    let pings = ended.stderr.matches("Failed pinging scheduler").count();
    assert_eq!(pings, 1, "{}", ended.stderr);
    let failed = ended.stderr.matches("(ping)").count();
    assert!(failed > 1, "{}", ended.stderr);
}

#[test]
fn what_is_no_address_is_said_at_once() {
    let place = Place::new();
    let ended = place.run("Greet --name Ann --scheduler-url localhost:8082");
    assert_eq!(ended.code, 4);
    ended.says("is no address of a scheduler: it does not begin with http:// or https://");
}
