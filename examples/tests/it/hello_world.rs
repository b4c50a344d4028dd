//! The smallest pipeline runs once.

use crate::program::Program;

#[test]
fn it_runs_once() {
    let program = Program::example("hello_world");
    let first = program.run(&["HelloWorldTask", "--local-scheduler"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(
        first.summary(),
        "Scheduled 1 tasks of which:\n\
         * 1 ran successfully:\n    - 1 HelloWorldTask()\n\n\
         This progress looks :) because there were no failed tasks or missing dependencies"
    );
    assert_eq!(program.read("hello.txt"), "Hello World");

    let second = program.run(&["HelloWorldTask", "--local-scheduler"]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(
        second.summary(),
        "Scheduled 1 tasks of which:\n\
         * 1 complete ones were encountered:\n    - 1 HelloWorldTask()\n\n\
         Did not run any tasks\n\
         This progress looks :) because there were no failed tasks or missing dependencies"
    );
    assert_eq!(program.files("."), ["hello.txt"]);
}
