//! The live display, on a pseudo-terminal that `script` makes.

use std::process::{Command, Stdio};

use condotta_test_servers::wait_until;

use crate::program::{Place, Process, pipeline};

/// Runs a task that waits on a terminal, until the display has shown `text`.
fn on_terminal(term: &str, no_color: bool, text: &str) -> String {
    let place = Place::new();
    let mut command = Command::new("script");
    place.settle(&mut command);
    let program = format!(
        "stty cols 120; {} Wait --local-scheduler --started started --until go",
        pipeline().display()
    );
    command
        .args([
            "--quiet",
            "--flush",
            "--return",
            "--command",
            &program,
            "screen",
        ])
        .env("TERM", term)
        .stdout(Stdio::null());
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let process = Process::start(&mut command);
    place.wait_for("started");
    let screen = || std::fs::read(place.path("screen")).unwrap_or_default();
    let shown = || String::from_utf8_lossy(&screen()).into_owned();
    wait_until(&format!("{text} is shown"), || shown().contains(text));
    place.write("go", "");
    process.end().succeeded();
    shown()
}

#[test]
fn a_terminal_shows_what_runs_and_how_far_it_all_is() {
    let screen = on_terminal("xterm", false, "waiting for a file");
    assert!(
        screen.contains(" 50 % Wait(started=started, until=go) — waiting for a file"),
        "{screen}"
    );
    assert!(screen.contains("] 0/1 1 running · 0:00"), "{screen}");
    assert!(screen.contains("\u{1b}[32m"), "{screen}");
    // Lines of the log stay, and so does the summary at the end.
    assert!(
        screen.contains("INFO: Done scheduling tasks\r\n"),
        "{screen}"
    );
    let end = screen.rsplit("INFO: \r\n===== Luigi").next().unwrap();
    assert!(!end.contains("waiting for a file"), "{end}");
}

#[test]
fn no_color_is_respected() {
    let screen = on_terminal("xterm", true, "waiting for a file");
    assert!(
        !screen.contains("\u{1b}[32m") && !screen.contains("\u{1b}[36m"),
        "{screen}"
    );
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let screen = on_terminal("dumb", false, "running   Wait(");
    assert!(!screen.contains('\u{1b}'), "{screen}");
    assert!(!screen.contains("waiting for a file"), "{screen}");
}
