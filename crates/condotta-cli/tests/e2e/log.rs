//! Where the log goes, and in which form.

use nix::sys::signal::Signal;

use crate::processes::{Kind, Place, Server, wait_until};

const CONF_FILE: &str = "\
[loggers]
keys = root
[handlers]
keys = file
[formatters]
keys = short
[logger_root]
level = INFO
handlers = file
[handler_file]
class = FileHandler
args = ('server.log', 'a')
formatter = short
[formatter_short]
format = %(levelname)s|%(name)s|%(message)s
";

#[test]
fn log_lines_are_luigids() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let (id, said) = (server.id(), server.says("Listening"));
    let line = said.lines().next().unwrap();
    let (time, rest) = line.split_at("2026-05-17 14:15:16,123".len());
    let as_zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let digits: String = time.chars().map(as_zero).collect();
    assert_eq!(digits, "0000-00-00 00:00:00,000");
    let start = format!(" luigi.server[{id}] INFO: Listening");
    assert!(rest.starts_with(&start), "{line}");
}

#[test]
fn a_configuration_in_pythons_format_is_followed() {
    let place = Place::new();
    place.write("luigi.cfg", "[core]\nlogging_conf_file = logging.cfg\n");
    place.write("logging.cfg", CONF_FILE);
    let server = Server::start(&place, Kind::Ours);
    let ended = server.stop(Signal::SIGTERM).with_code(0);
    assert_eq!(ended.stderr, "");
    let log = place.read("server.log");
    assert!(log.starts_with("INFO|luigi.server|Listening on"), "{log}");
}

#[test]
fn so_is_one_in_toml() {
    let place = Place::new();
    place.write(
        "luigi.toml",
        "[scheduler]\nretry_delay = 3\nunknown_key = 1\n\
         [logging]\nversion = 1\n\
         [logging.handlers.screen]\nclass = \"logging.StreamHandler\"\nstream = \"ext://sys.stdout\"\n\
         [logging.root]\nlevel = \"WARNING\"\nhandlers = [\"screen\"]\n",
    );
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command
        .env("LUIGI_CONFIG_PARSER", "toml")
        .env_remove("LUIGI_CONFIG_PATH")
        .args(["scheduler", "--port", "0", "--state-dir", "state"]);
    let process = place.start("server", &mut command);
    wait_until("the state is there", || place.path("state").exists());
    process.send(Signal::SIGTERM);
    let ended = process.end().with_code(0);
    let warning = "luigi.toml:3: section [scheduler] has no key unknown_key, which is ignored\n";
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.as_str()),
        (warning, "")
    );
}

#[test]
fn without_a_log_warnings_are_shown() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[core]\nno_configure_logging = true\n[scheduler]\nunknown_key = 1\n",
    );
    let server = Server::start(&place, Kind::Ours);
    let ended = server.stop(Signal::SIGTERM).with_code(0);
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    ended.says("WARNING: ").says("has no key unknown_key");
}

#[test]
fn a_log_directory_alone_takes_the_log_of_the_foreground() {
    let place = Place::new();
    let server = Server::start_with(&place, &["--logdir", "deep/logs"]);
    let port = server.port;
    let ended = server.stop(Signal::SIGTERM).with_code(0);
    assert_eq!(ended.stderr, "");
    let log = place.read("deep/logs/luigi-server.log");
    let first = format!("Listening on http://127.0.0.1:{port}");
    assert!(log.contains(&first), "{log}");
}
