//! Tasks that say themselves whether they are complete, and tasks that only run.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use crate::program::Program;

#[test]
fn a_task_that_only_runs_runs_each_time() {
    let program = Program::example("make_like");
    for _ in 0..2 {
        let ran = program.run(&["MyTask", "--local-scheduler"]);
        assert_eq!(ran.stdout, "hello world\n");
        assert!(
            ran.summary()
                .contains("* 1 ran successfully:\n    - 1 MyTask(some_parameter=hello)")
        );
        assert!(
            ran.stderr.contains(
                "Task MyTask(some_parameter=hello) without outputs has no custom complete() method"
            ),
            "{}",
            ran.stderr
        );
    }
    let ran = program.run(&["MyTask", "--local-scheduler", "--some-parameter", "goodbye"]);
    assert_eq!(ran.stdout, "goodbye world\n");
}

#[test]
fn an_object_that_is_newer_than_its_source_is_not_made_again() {
    let program = Program::example("make_like");
    std::fs::write(program.path("one.txt"), "one\n").unwrap();
    std::fs::write(program.path("two.txt"), "two\n").unwrap();
    let make = || program.run(&["Book", "--local-scheduler"]);

    let first = make();
    assert!(
        first.summary().contains("* 3 ran successfully:"),
        "{}",
        first.stderr
    );
    assert_eq!(program.read("book.txt"), "ONE\nTWO\n");
    assert!(make().summary().contains("Did not run any tasks"));

    // What was made is a minute old, and its sources are older: then one of them is written anew.
    for name in ["one.txt", "two.txt", "one.upper", "two.upper", "book.txt"] {
        let age = if name == "book.txt" || name.ends_with("upper") {
            60
        } else {
            120
        };
        let file = File::options()
            .write(true)
            .open(program.path(name))
            .unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age))
            .unwrap();
    }
    assert!(make().summary().contains("Did not run any tasks"));
    std::fs::write(program.path("two.txt"), "three\n").unwrap();
    let third = make();
    assert!(
        third
            .summary()
            .contains("* 1 complete ones were encountered:"),
        "{}",
        third.stderr
    );
    assert!(
        third.summary().contains("* 2 ran successfully:"),
        "{}",
        third.stderr
    );
    assert_eq!(program.read("book.txt"), "ONE\nTHREE\n");
}
