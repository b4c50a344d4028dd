//! However a run ends, nothing is left of the program: children that do not listen, grandchildren, and
//! what goes on in the background; also when the process that called it is killed.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use condotta_programs::{Detached, Ended};

use crate::{ids, lives, shell, wait_for};

/// A program with a child and a grandchild, each of which writes down its id.
const FAMILY: &str = "
    (sh -c 'echo $$ >> ids; exec sleep 1000' & echo started; exec sleep 1000) &
    echo $! >> ids; echo $$ >> ids; wait";
/// The same, none of whom ends when asked.
const STUBBORN: &str = "trap '' TERM
    (sh -c 'echo $$ >> ids; while :; do sleep 0.05; done' & while :; do sleep 0.05; done) &
    echo $! >> ids; echo $$ >> ids; while :; do sleep 0.05; done";

/// Set for the process that is to be killed, to the folder and the script.
const VICTIM: &str = "TEST_VICTIM";

/// The process that is to be killed; as a test, it does nothing.
#[test]
fn victim() {
    let Ok(folder) = std::env::var(VICTIM) else {
        return;
    };
    let script = std::fs::read_to_string(Path::new(&folder).join("script")).unwrap();
    let program = shell(&Detached::default(), &script)
        .current_dir(&folder)
        .grace(Duration::from_millis(300))
        .run();
    panic!("{program:?}");
}

#[track_caller]
fn assert_all_gone(folder: &Path) {
    let ids = ids(&folder.join("ids"));
    assert_eq!(ids.len(), 3, "{ids:?}");
    for id in &ids {
        assert!(!lives(id), "{id} of {ids:?}");
    }
}

#[test]
fn a_run_that_is_to_stop_ends_the_whole_family() {
    for (script, grace) in [(FAMILY, 60.0), (STUBBORN, 0.3)] {
        let folder = tempfile::tempdir().unwrap();
        let attempt = Detached::default();
        let begin = Instant::now();
        let error = std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                shell(&attempt, script)
                    .current_dir(folder.path())
                    .grace(Duration::from_secs_f64(grace))
                    .run()
            });
            wait_for("they are there", || {
                ids(&folder.path().join("ids")).len() == 3
            });
            attempt.stop();
            run.join().unwrap().unwrap_err()
        });
        assert_eq!(error.failure().unwrap().ended, Ended::Stopped);
        assert_all_gone(folder.path());
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "nobody waits for the grace"
        );
    }
}

#[test]
fn a_process_that_is_killed_takes_the_whole_family_with_it() {
    for script in [FAMILY, STUBBORN] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("script"), script).unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ending::victim", "--nocapture"])
            .env(VICTIM, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ids = || ids(&folder.path().join("ids"));
        wait_for("they are there", || ids().len() == 3);
        assert!(ids().iter().all(|id| lives(id)));
        victim.kill().unwrap();
        victim.wait().unwrap();
        wait_for("they are gone", || !ids().iter().any(|id| lives(id)));
    }
}

#[test]
fn what_a_program_leaves_behind_is_ended_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let attempt = Detached::default();
    let script = "
        sh -c 'echo $$ >> ids; exec sleep 1000' &
        sh -c 'trap \"\" TERM; echo $$ >> ids; while :; do sleep 0.05; done' &
        echo $$ >> ids
        until [ $(wc -l < ids) = 3 ]; do sleep 0.01; done
        echo done";
    shell(&attempt, script)
        .current_dir(folder.path())
        .grace(Duration::from_millis(300))
        .run()
        .unwrap();
    assert_eq!(attempt.stdout(), "done\n");
    assert_all_gone(folder.path());
}

#[test]
fn what_is_written_after_the_end_is_not_lost() {
    let attempt = Detached::default();
    shell(&attempt, "(sleep 0.3; echo late) & echo early")
        .run()
        .unwrap();
    assert_eq!(attempt.stdout(), "early\nlate\n");
}

#[test]
fn a_daemon_that_holds_the_output_open_does_not_hold_up_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let attempt = Detached::default();
    let script =
        "setsid sh -c 'echo $$ > ids; exec sleep 1000' & until [ -s ids ]; do sleep 0.01; done";
    shell(&attempt, script)
        .current_dir(folder.path())
        .run()
        .unwrap();
    let daemon = ids(&folder.path().join("ids"));
    assert!(lives(&daemon[0]), "it left the group, so it is let alone");
    Command::new("kill").arg(&daemon[0]).status().unwrap();
}

#[test]
fn a_panic_in_the_run_leaves_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let attempt = Detached::default();
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        shell(&attempt, &format!("{FAMILY}; wait"))
            .current_dir(folder.path())
            .on_line(|_, _| {
                wait_for("they are there", || {
                    ids(&folder.path().join("ids")).len() == 3
                });
                panic!("in a listener")
            })
            .run()
    }));
    assert!(panics.is_err());
    wait_for("they are gone", || {
        !ids(&folder.path().join("ids")).iter().any(|id| lives(id))
    });
}
