//! What a server says at its start, and what stops it from starting.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::processes::{Kind, Place, Server};

/// The messages of the log, without time, process and so on.
fn messages(log: &str) -> Vec<&str> {
    log.lines()
        .filter_map(|line| line.split_once(" INFO: "))
        .map(|(_, message)| message)
        .collect()
}

#[test]
fn the_first_lines_say_where_it_listens_for_whom_and_what_it_found() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let (port, state) = (server.port, place.path("state"));
    let ended = server.stop(Signal::SIGTERM).with_code(0);
    let said = messages(&ended.stderr);
    assert_eq!(
        said[0],
        format!(
            "Listening on http://127.0.0.1:{port}, for this machine only; to open it to other hosts: \
             condotta scheduler --address 0.0.0.0 --port {port} --state-dir {}",
            state.display()
        )
    );
    assert_eq!(
        said[1],
        format!("State in {}: a new state directory", state.display())
    );
    assert_eq!(said[2], "SIGTERM: Scheduler instance shutting down");
}

#[test]
fn each_signal_of_luigid_stops_it_in_good_order() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGQUIT] {
        let place = Place::new();
        let server = Server::start(&place, Kind::Ours);
        let ended = server.stop(signal).with_code(0);
        ended.says(&format!("{signal}: Scheduler instance shutting down"));
    }
}

#[test]
fn the_configuration_is_luigids() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[scheduler]\nretry_delay = 7\nretry_dely = 8\nstate_path = /var/lib/luigi/state.pickle\n\
         pause_enabled = false\n[resources]\ngpu = 2\n[cors]\nenabled = true\n\
         allow_any_origin = true\n",
    );
    let server = Server::start(&place, Kind::Ours);
    let said = server.says("condotta state import");
    let warning = "luigi.cfg:3: section [scheduler] has no key retry_dely, which is ignored";
    assert!(said.contains(warning), "{said}");
    assert!(
        said.contains("state_path (/var/lib/luigi/state.pickle) is luigid's"),
        "{said}"
    );
    let pause = server.rpc.call("is_pause_enabled", &json!({}));
    assert_eq!(pause, json!({"enabled": false}));
    let resources = server.rpc.call("resource_list", &json!({}));
    assert_eq!(resources[0]["num_total"], 2);
}

#[test]
fn a_configuration_that_cannot_be_used_names_its_place() {
    for (text, said) in [
        (
            "[scheduler]\nretry_delay = soon\n",
            "luigi.cfg:2: [scheduler] retry_delay is \"soon\"",
        ),
        (
            "[resources]\ngpu = many\n",
            "luigi.cfg:2: [resources] gpu is \"many\"",
        ),
        ("[core]\nlogging_conf_file = /not/there\n", "/not/there"),
        ("no section\n", "luigi.cfg:1"),
    ] {
        let place = Place::new();
        place.write("luigi.cfg", text);
        let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
        command.args(["scheduler", "--port", "0", "--state-dir", "state"]);
        let ended = place.start("server", &mut command).end().with_code(1);
        ended.says(said);
        assert!(!place.path("state").exists(), "{text}");
    }
}

#[test]
fn a_further_file_has_the_last_word() {
    let place = Place::new();
    place.write("luigi.cfg", "[scheduler]\npause_enabled = false\n");
    place.write("more.cfg", "[scheduler]\npause_enabled = true\n");
    let server = Server::start_with(&place, &["--config", "more.cfg"]);
    let pause = server.rpc.call("is_pause_enabled", &json!({}));
    assert_eq!(pause, json!({"enabled": true}));
    drop(server);

    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--config", "none.cfg"]);
    let ended = place.start("none", &mut command).end().with_code(1);
    ended.says("cannot read configuration none.cfg");
}

#[test]
fn the_state_goes_where_the_configuration_or_the_user_has_it() {
    let place = Place::new();
    place.write("luigi.cfg", "[scheduler]\nstate_dir = configured\n");
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--port", "0"]);
    let process = place.start("server", &mut command);
    crate::processes::wait_until("it has said where its state is", || {
        process.stderr().contains("State in configured: a new")
    });
}

#[test]
fn two_servers_do_not_share_a_directory() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--port", "0", "--state-dir", "state"]);
    let ended = place.start("second", &mut command).end().with_code(4);
    let pid = server.id();
    ended.says(&format!("another scheduler (pid {pid}) uses state"));
    assert!(server.rpc.is_ready());
}

#[test]
fn a_port_in_use_is_said() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    let port = server.port.to_string();
    command.args(["scheduler", "--port", &port, "--state-dir", "other"]);
    let ended = place.start("second", &mut command).end().with_code(4);
    ended.says(&format!("cannot listen on 127.0.0.1:{port}"));
    assert!(!place.path("other").exists());
}

#[test]
fn no_request_is_answered_over_get_that_changes_anything() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    assert_eq!(server.rpc.get("/api/pause").unwrap().status, 405);
    assert_eq!(server.rpc.get("/api/is_paused").unwrap().status, 200);
    assert_eq!(
        server.rpc.call("is_paused", &json!({})),
        json!({"paused": false})
    );
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2_and_help_lists_the_codes() {
    let place = Place::new();
    for words in [
        "",
        "schedule",
        "scheduler --port many",
        "scheduler --state-path state.pickle",
        "state import new file --from-luigid http://localhost:8082",
    ] {
        let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
        command.args(words.split_whitespace());
        place.start("usage", &mut command).end().with_code(2);
    }
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    let ended = place
        .start("help", command.args(["scheduler", "--help"]))
        .end()
        .with_code(0);
    for code in ["0  all", "1  the", "2  the", "3  the", "4  another"] {
        ended.says(code);
    }
}

#[test]
fn a_body_that_was_ignored_is_named_when_an_argument_is_missing() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let request = "POST /api/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                   Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"worker\": \"w\"}";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains("`application/json` was ignored"),
        "{answer}"
    );
}
