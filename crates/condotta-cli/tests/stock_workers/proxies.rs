//! Workers that reach our server through nginx.

use std::fs;

use libtest_mimic::Trial;

use crate::{
    processes::{Place, Process, Rpc, free_port, nginx, wait_until},
    stage::Stage,
    trial,
};

/// The name under which clients know nginx.
const NAME: &str = "luigi.example.test";

/// Makes Python find nginx under its name, as DNS would.
const NAMES: &str = r#"
import socket

resolve = socket.getaddrinfo


def getaddrinfo(host, *arguments, **keywords):
    host = "127.0.0.1" if host == "luigi.example.test" else host
    return resolve(host, *arguments, **keywords)


socket.getaddrinfo = getaddrinfo
"#;

/// The prefix goes, and the client's name for the server stays.
const STRIPS: &str = "
    location /luigi/ {
        proxy_pass http://127.0.0.1:SERVER/;
        proxy_set_header Host $host;
    }";

/// Requests go on as they come, over connections that stay open.
const HANDS_ON: &str = r#"
    location /luigi/ {
        proxy_pass http://scheduler;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
    }"#;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("nginx_that_strips_a_prefix", strips),
        trial("nginx_whose_name_was_not_told", untold),
        trial("nginx_that_hands_on_a_prefix", hands_on),
    ]
}

fn strips() {
    let stage = Stage::with_arguments(&["--allowed-host", NAME]);
    let nginx = Nginx::start(&stage, STRIPS);
    runs_through(&stage, &nginx);
}

fn hands_on() {
    let arguments = ["--path-prefix", "/luigi", "--allowed-host", NAME];
    let stage = Stage::with_arguments(&arguments);
    let nginx = Nginx::start(&stage, HANDS_ON);
    runs_through(&stage, &nginx);
}

/// The refusal says which option lets them in, and without the client's name nothing is refused.
fn untold() {
    let stage = Stage::with_arguments(&[]);
    let nginx = Nginx::start(&stage, STRIPS);
    let host = format!("{NAME}:{}", nginx.port);
    let refused = nginx.rpc("/luigi").post_to_host("is_paused", &host);
    assert_eq!(refused.status, 403, "{refused:?}");
    let advice = format!(
        "this server does not answer to the name `{NAME}`; if it is one of its names, start it with \
         --allowed-host {NAME}"
    );
    assert!(refused.body.contains(&advice), "{refused:?}");
    drop(nginx);

    let silent = STRIPS.replace("proxy_set_header Host $host;", "");
    let nginx = Nginx::start(&stage, &silent);
    let answer = nginx.rpc("/luigi").post_to_host("is_paused", &host);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// A worker that knows nothing but nginx's name and the prefix runs a graph.
fn runs_through(stage: &Stage, nginx: &Nginx) {
    let folder = stage.place.path("names");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("sitecustomize.py"), NAMES).unwrap();
    let url = format!("http://{NAME}:{}/luigi/", nginx.port);
    let words = format!("plain Root --scheduler-url {url}");
    let worker = stage.worker_with("worker", &words, &[folder]);
    worker.end().with_code(0).says("4 ran successfully");
    let log = stage.place.read("access.log");
    let passed = log.matches("POST /luigi/api/add_task HTTP/1.1\" 200");
    assert!(passed.count() >= 8, "{log}");
    assert_eq!(stage.count("DONE"), 4);
}

/// Nginx on a port of its own. It goes with the test.
struct Nginx {
    port: u16,
    _process: Process,
}

impl Nginx {
    /// Starts it before the stage's server, with this part of its configuration.
    fn start(stage: &Stage, location: &str) -> Self {
        // Another process may take the port between its choice and its use.
        (0..5)
            .find_map(|_| Self::try_start(&stage.place, stage.server.port, location))
            .expect("one of five free ports stays free")
    }

    fn try_start(place: &Place, server: u16, location: &str) -> Option<Self> {
        let port = free_port();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("    {what}_temp_path {what};\n"))
            .concat();
        let location = location.replace("SERVER", &server.to_string());
        let text = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\n{temporary}    access_log access.log;\n    \
             upstream scheduler {{ server 127.0.0.1:{server}; keepalive 4; }}\n    \
             server {{\n    listen 127.0.0.1:{port};\n    server_name {NAME};{location}\n    }}\n}}\n"
        );
        place.write("nginx.conf", &text);
        let program = nginx().expect("tests that need it look for it before");
        let mut command = place.command(program);
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]);
        command.arg(place.path(""));
        let mut process = place.start("nginx", &mut command);
        let root = Rpc::new(&format!("http://127.0.0.1:{port}"));
        let mut has_ended = false;
        wait_until("nginx answers", || {
            has_ended = !process.runs();
            has_ended || root.get("/").is_ok()
        });
        if has_ended {
            let said = process.stderr();
            assert!(said.contains("in use"), "nginx ended: {said}");
            return None;
        }
        let _process = process;
        Some(Self { port, _process })
    }

    fn rpc(&self, path: &str) -> Rpc {
        Rpc::new(&format!("http://127.0.0.1:{}{path}", self.port))
    }
}
