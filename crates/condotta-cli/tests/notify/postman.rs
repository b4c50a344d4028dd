//! A real mail server, aiosmtpd, that keeps what it gets.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    certificate,
    processes::{Place, Process, stock_python, wait_until},
};

const RECEIVER: &str = include_str!("receiver.py");

/// A mail server that runs, but not for longer than the test.
pub(crate) struct Postman<'a> {
    place: &'a Place,
    wanted: Value,
    process: Option<Process>,
    pub(crate) port: u16,
}

/// A mail that arrived.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Arrived {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) kind: String,
    pub(crate) r#type: String,
    pub(crate) tls: bool,
    pub(crate) login: bool,
}

impl<'a> Postman<'a> {
    /// Starts one that does what `receiver.py` reads of `wanted`.
    pub(crate) fn start(place: &'a Place, wanted: Value) -> Self {
        if wanted.get("ssl").or(wanted.get("starttls")).is_some() {
            certificate::write(place, "localhost");
        }
        let mut postman = Self {
            place,
            wanted,
            process: None,
            port: 0,
        };
        postman.come();
        postman
    }

    /// Listens, on the port of before if there was one.
    pub(crate) fn come(&mut self) {
        if self.port != 0 {
            self.wanted["port"] = json!(self.port);
        }
        let place = self.place;
        place.write("receiver.json", &self.wanted.to_string());
        place.write("receiver.py", RECEIVER);
        let port = place.path("smtp-port");
        let _ = std::fs::remove_file(&port);
        let python = stock_python().expect("cargo xtask test makes it");
        let packages = python.parent().unwrap().with_file_name("receivers");
        let mut command = place.command(&python);
        command
            .arg(place.path("receiver.py"))
            .arg(port.parent().unwrap())
            .env("PYTHONPATH", packages);
        self.process = Some(place.start("receiver", &mut command));
        wait_until("the mail server listens", || port.is_file());
        self.port = place.read("smtp-port").trim().parse().unwrap();
    }

    /// Listens no more.
    pub(crate) fn go(&mut self) {
        self.process = None;
    }

    /// Refuses each mail with this answer, or takes them again.
    pub(crate) fn refuse(&mut self, answer: Option<&str>) {
        self.wanted["refuse"] = json!(answer);
        self.place.write("receiver.new", &self.wanted.to_string());
        let (new, old) = (
            self.place.path("receiver.new"),
            self.place.path("receiver.json"),
        );
        std::fs::rename(new, old).unwrap();
    }

    /// What arrived so far, by subject and recipient.
    pub(crate) fn mails(&self) -> Vec<Arrived> {
        let mut mails: Vec<Arrived> = self
            .place
            .read("mails.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        mails.sort_by(|one, other| (&one.to, &one.subject).cmp(&(&other.to, &other.subject)));
        mails
    }

    /// Waits until so many arrived; there may be no more.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Arrived> {
        wait_until(&format!("{count} mails arrived"), || {
            self.mails().len() >= count
        });
        let mails = self.mails();
        assert_eq!(mails.len(), count, "{mails:#?}");
        mails
    }
}

/// Sections of luigi.cfg that send mail there.
pub(crate) fn sections(port: u16, more: &str) -> String {
    format!(
        "[email]\nreceiver = ops@example.com\nsender = luigi@example.com\n\
         [smtp]\nhost = localhost\nport = {port}\n{more}"
    )
}

/// The unsent mails in a state.
pub(crate) fn unsent(state: &Path) -> usize {
    let files = std::fs::read_dir(state.join("mail"));
    files.map_or(0, |files| files.count())
}
