//! What a program gets, what becomes of what it prints, and how it fails.

use std::{io::Write as _, time::Duration};

use condotta_programs::{Detached, Ended, Program, ProgramError, Stream};
use condotta_targets::{Format, LocalTarget, ReadWrite as _, Target as _};

use crate::shell;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn failure_text(error: &ProgramError) -> String {
    assert!(error.failure().is_some(), "{error}");
    error.to_string()
}

#[test]
fn arguments_environment_and_folder_reach_the_program() {
    let (folder, attempt) = (folder(), Detached::default());
    let inside = folder.path().canonicalize().unwrap();
    shell(
        &attempt,
        r#"printf '%s|' "$@"; echo "$NAME ${HOME-none}"; pwd"#,
    )
    .args(["sh", "a b"])
    .arg(7)
    .arg(LocalTarget::new("c/d"))
    .env("NAME", "value")
    .env_remove("HOME")
    .current_dir(&inside)
    .run()
    .unwrap();
    let expected = format!("a b|7|c/d|value none\n{}\n", inside.display());
    assert_eq!(attempt.stdout(), expected);
}

#[test]
fn input_and_output_are_targets_whatever_their_format() {
    let (folder, attempt) = (folder(), Detached::default());
    let input = LocalTarget::new(folder.path().join("in.gz")).format(Format::Gzip);
    let output = LocalTarget::new(folder.path().join("out.zst")).format(Format::Zstd);
    input.write("b\na\n").unwrap();
    let sort = Program::new("sort", &attempt);
    sort.stdin(&input).stdout(&output).run().unwrap();
    assert_eq!(output.read_to_string().unwrap(), "a\nb\n");
    assert_eq!(attempt.stdout(), "", "it went into the target");
}

#[test]
fn a_program_that_fails_leaves_no_output_and_says_why() {
    let (folder, attempt) = (folder(), Detached::default());
    let output = LocalTarget::new(folder.path().join("out"));
    let script = "echo half; for n in $(seq 30); do echo \"trouble $n\" >&2; done; exit 3";
    let error = shell(&attempt, script).stdout(&output).run().unwrap_err();
    assert!(!output.exists().unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let text = failure_text(&error);
    assert!(text.starts_with("sh failed with exit code 3\n  command: sh -c 'echo half;"));
    assert!(text.contains("standard output:\n    half\n"), "{text}");
    assert!(!text.contains("trouble 10\n"), "{text}");
    assert!(text.contains("standard error:\n    trouble 11\n"), "{text}");
    assert!(text.ends_with("    trouble 30"), "{text}");
    assert_eq!(error.failure().unwrap().ended, Ended::Code(3));
    assert!(attempt.stderr().starts_with("trouble 1\ntrouble 2\n"));
}

#[test]
fn a_target_that_was_there_stays_as_it_was() {
    let (folder, attempt) = (folder(), Detached::default());
    let output = LocalTarget::new(folder.path().join("out"));
    output.write("old").unwrap();
    let failed = shell(&attempt, "echo new; kill -SEGV $$")
        .stdout(&output)
        .run();
    let error = failed.unwrap_err();
    assert!(error.to_string().starts_with("sh was ended by SIGSEGV\n"));
    assert_eq!(output.read_to_string().unwrap(), "old");
    shell(&attempt, "echo new").stdout(&output).run().unwrap();
    assert_eq!(output.read_to_string().unwrap(), "new\n");
}

#[test]
fn without_complaints_the_error_has_what_was_printed() {
    let attempt = Detached::default();
    let error = shell(&attempt, "echo sorry; exit 1").run().unwrap_err();
    assert!(error.to_string().ends_with("standard output:\n    sorry"));
    let error = Program::new("false", &attempt).run().unwrap_err();
    assert!(error.to_string().ends_with("it printed nothing"));
}

#[test]
fn other_exit_codes_can_be_good() {
    let attempt = Detached::default();
    let grep = || shell(&attempt, "echo x | grep y").success_codes([0, 1]);
    grep().run().unwrap();
    let error = shell(&attempt, "exit 2").success_codes([0, 1]).run();
    assert_eq!(error.unwrap_err().failure().unwrap().ended, Ended::Code(2));
}

#[test]
fn programs_that_cannot_be_started_say_what_to_do() {
    let (folder, attempt) = (folder(), Detached::default());
    let path = folder.path().join("tool");
    let start = |program: &str| {
        Program::new(program, &attempt)
            .run()
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        start("no-such-tool"),
        "cannot start no-such-tool: it is in no folder of the PATH; install it, or name it by its path"
    );
    let path_text = path.to_str().unwrap();
    assert!(start(path_text).contains("there is no such file"));
    std::fs::File::create(&path)
        .unwrap()
        .write_all(b"#!/bin/sh\n")
        .unwrap();
    assert!(start(path_text).contains("it is not executable"));
    let nowhere = Program::new("true", &attempt)
        .current_dir("/no/such/folder")
        .run();
    let text = nowhere.unwrap_err().to_string();
    assert_eq!(
        text,
        "cannot start true: its working folder /no/such/folder is not there"
    );
}

#[test]
fn missing_input_and_full_disks_name_their_targets() {
    let (folder, attempt) = (folder(), Detached::default());
    let missing = LocalTarget::new(folder.path().join("missing"));
    let error = Program::new("cat", &attempt)
        .stdin(&missing)
        .run()
        .unwrap_err();
    assert!(matches!(error, ProgramError::Input { .. }), "{error}");
    // A file whose compression is broken is read half way.
    let broken = LocalTarget::new(folder.path().join("broken")).format(Format::Gzip);
    broken.write("x".repeat(500_000)).unwrap();
    let bytes = std::fs::read(broken.path()).unwrap();
    std::fs::write(broken.path(), &bytes[..bytes.len() - 20]).unwrap();
    let output = LocalTarget::new(folder.path().join("out"));
    let cat = Program::new("cat", &attempt).stdin(&broken).stdout(&output);
    let error = cat.run().unwrap_err();
    assert!(matches!(error, ProgramError::Input { .. }), "{error}");
    assert!(!output.exists().unwrap());
    // A file cannot be made where a file is in place of a folder.
    std::fs::write(folder.path().join("file"), "").unwrap();
    let nowhere = LocalTarget::new(folder.path().join("file/out"));
    let error = shell(&attempt, "echo").stdout(&nowhere).run().unwrap_err();
    assert!(matches!(error, ProgramError::Output { .. }), "{error}");
}

#[test]
fn a_program_need_not_read_its_input() {
    let (folder, attempt) = (folder(), Detached::default());
    let input = LocalTarget::new(folder.path().join("in"));
    input.write("line\n".repeat(500_000)).unwrap();
    Program::new("head", &attempt)
        .args(["-n", "1"])
        .stdin(&input)
        .run()
        .unwrap();
    assert_eq!(attempt.stdout(), "line\n");
    shell(&attempt, "read -r nothing; echo $?").run().unwrap();
    assert_eq!(
        attempt.stdout(),
        "line\n1\n",
        "without a target there is nothing to read"
    );
}

#[test]
fn huge_and_binary_output_comes_whole() {
    let (folder, attempt) = (folder(), Detached::default());
    let output = LocalTarget::new(folder.path().join("out")).fsync(false);
    shell(&attempt, "head -c 100000000 /dev/zero")
        .stdout(&output)
        .run()
        .unwrap();
    assert_eq!(std::fs::metadata(output.path()).unwrap().len(), 100_000_000);
    // No line ends at all, then bytes that are no text, on both streams.
    shell(
        &attempt,
        "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\377\\0\\n' >&2",
    )
    .run()
    .unwrap();
    assert_eq!(attempt.stdout().trim_end().len(), 3_000_000);
    assert_eq!(attempt.stderr(), "\u{fffd}\0\n");
}

#[test]
fn the_tracking_url_is_found_in_either_stream() {
    let attempt = Detached::default();
    let script = "echo 'UI at http://one:1/a b'; echo 'UI at http://two:2' >&2";
    let pattern = r"UI at (https?://\S+)";
    shell(&attempt, script)
        .tracking_url_in(Stream::Stderr, pattern)
        .run()
        .unwrap();
    assert_eq!(attempt.tracking_url().unwrap(), "http://two:2");
    let attempt = Detached::default();
    shell(&attempt, "echo 'UI at http://one:1/a b'")
        .tracking_url(pattern)
        .run()
        .unwrap();
    assert_eq!(attempt.tracking_url().unwrap(), "http://one:1/a");
    let error = shell(&attempt, "").tracking_url("(").run().unwrap_err();
    assert!(matches!(error, ProgramError::Pattern { .. }), "{error}");
}

#[test]
fn lines_can_be_looked_at_as_they_come_also_those_of_a_progress_bar() {
    let attempt = Detached::default();
    let mut lines = Vec::new();
    shell(&attempt, r"printf '1%%\r2%%\r\nlast'")
        .on_line(|stream, line| lines.push((stream, line.to_owned())))
        .run()
        .unwrap();
    let lines: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(lines, ["1%", "2%", "last"]);
}

#[test]
fn secrets_are_shown_nowhere() {
    let attempt = Detached::default();
    let error = shell(&attempt, "echo \"it is $1, not $PASSWORD\" >&2; exit 1")
        .args(["sh", "--token=hunter22"])
        .env("PASSWORD", "in-the-environment")
        .secret("hunter22")
        .secret("in-the-environment")
        .run()
        .unwrap_err();
    let text = failure_text(&error);
    assert!(text.contains(" sh --token=***\n"), "{text}");
    assert!(text.ends_with("it is --token=***, not ***"), "{text}");
    assert_eq!(attempt.stderr(), "it is --token=***, not ***\n");
    assert!(!format!("{error:?}").contains("hunter22"));
}

#[test]
fn a_time_limit_ends_the_program() {
    let attempt = Detached::default();
    let limit = Duration::from_millis(300);
    let error = shell(&attempt, "echo started; sleep 1000")
        .timeout(limit)
        .run()
        .unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!(failure.ended, Ended::TimedOut(limit));
    assert_eq!(failure.stdout, ["started"]);
    let text = failure_text(&error);
    assert!(
        text.starts_with("sh timed out after 300ms and was ended\n"),
        "{text}"
    );
    shell(&attempt, "true")
        .timeout(Duration::MAX)
        .run()
        .unwrap();
}
