//! Two people start the same pipeline at the same time, each in a shell of their own, on one
//! scheduler's server: nothing runs twice, and both are told the truth.

use std::thread;

use tempfile::TempDir;

use crate::{
    program::{Program, Ran},
    server::Server,
};

#[test]
fn two_who_want_the_same_pipeline_run_nothing_twice() {
    let server = Server::start();
    let results = TempDir::new().expect("a temporary folder can be made");
    let results = results.path().to_str().expect("its path is UTF-8");
    let ran: Vec<Ran> = thread::scope(|scope| {
        let shells: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let shell = Program::example("parent_child");
                    shell.run(&[
                        "ParentTask",
                        "--scheduler-port",
                        &server.port,
                        "--worker-keep-alive",
                        "--presentation-folder",
                        results,
                    ])
                })
            })
            .collect();
        let join = |shell: thread::ScopedJoinHandle<'_, Ran>| shell.join().expect("no panic");
        shells.into_iter().map(join).collect()
    });
    for task in [
        "ChildTask(my_param=4+6)",
        "ChildTask(my_param=len(\"Hello world\"))",
        "ParentTask()",
    ] {
        let line = format!(" running   {task}");
        let runs: usize = ran
            .iter()
            .map(|ran| ran.stderr.matches(&line).count())
            .sum();
        assert_eq!(runs, 1, "{task}:\n{}\n{}", ran[0].stderr, ran[1].stderr);
    }
    // As in Luigi, a shell whose tasks the other did between its plan and its first question was granted
    // none of them, and says so. That can be only one of the two, and it ran nothing then.
    let mut late = 0;
    for ran in &ran {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let summary = ran.summary();
        if summary.contains("This progress looks :)") {
            continue;
        }
        late += 1;
        let is_known = summary.contains("not granted run permission")
            && summary.contains("Did not run any tasks");
        assert!(is_known, "{summary}");
    }
    assert!(late <= 1, "{}\n{}", ran[0].stderr, ran[1].stderr);
    let sum = std::fs::read_to_string(format!("{results}/final_result"));
    assert_eq!(sum.expect("the parent wrote it"), "21");
}
