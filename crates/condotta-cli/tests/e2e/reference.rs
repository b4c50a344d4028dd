//! The page about the command says what the command knows.

use std::collections::BTreeSet;

use crate::processes::{Kind, Place, Server};

const PAGE: &str = include_str!("../../../../docs/condotta-command.md");

/// The flags in a text.
fn flags(text: &str) -> BTreeSet<&str> {
    let is_of_flag = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split(|c| !is_of_flag(c));
    words
        .filter(|word| {
            word.starts_with("--")
                && word
                    .trim_start_matches("--")
                    .starts_with(char::is_alphabetic)
        })
        .collect()
}

#[test]
fn the_page_has_every_flag_and_no_other() {
    let place = Place::new();
    let mut helps = String::new();
    for words in [
        "",
        "scheduler",
        "state",
        "state check",
        "state export",
        "state import",
        "tasks",
        "task",
        "why",
        "workers",
        "workers set-processes",
        "workers disable",
        "resources",
        "resources set",
        "graph",
        "forgive",
        "done",
        "enable",
        "disable",
        "pause",
        "unpause",
        "log",
        "cancel",
        "messages",
        "messages send",
        "watch",
        "webhook",
        "webhook test",
        "completion",
        "history",
        "audit",
        "token",
        "token create",
        "token list",
        "token revoke",
    ] {
        let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
        command.args(words.split_whitespace()).arg("--help");
        helps += &place.start("help", &mut command).end().with_code(0).stdout;
    }
    assert_eq!(flags(PAGE), flags(&helps), "the page, then --help");
}

/// The words in code style after `start`, in its line.
fn keys(start: &str) -> Vec<&str> {
    let (_, rest) = PAGE.split_once(start).expect("the page has it");
    let line = rest.lines().next().unwrap_or_default();
    line.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_server_knows_the_keys_of_the_page() {
    let place = Place::new();
    let mut config = String::new();
    for section in ["scheduler", "cors", "prometheus"] {
        config += &format!("[{section}]\n");
        for key in keys(&format!("| `[{section}]` |")) {
            let value = match key {
                "state_dir" => "state",
                "authentication" => "auto",
                "log_format" => "text",
                "max_connections" => "100",
                "max_body_bytes" | "max_bodies_bytes" => "100000",
                "tls_certificate" | "tls_key" => "",
                "metrics_collector" => "prometheus",
                "allowed_origins" | "task_parameters_to_use_in_labels" => "[]",
                "allowed_methods" | "allowed_headers" | "exposed_headers" => "GET",
                "none" | "prometheus" | "/metrics" => continue,
                _ => "1",
            };
            config += &format!("{key} = {value}\n");
        }
    }
    place.write("luigi.cfg", &config);
    let server = Server::start(&place, Kind::Ours);
    let said = server.says("Listening");
    assert!(!said.contains("WARNING"), "{config}{said}");
    assert!(config.lines().count() >= 25, "{config}");
}
