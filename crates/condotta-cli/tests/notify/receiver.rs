//! A real receiver of webhooks, that keeps what it gets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;
use tiny_http::{Header, Response, Server, StatusCode};

use crate::processes::wait_until;

/// A message that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What it answers: a status, and perhaps a header.
type Answer = (u16, Option<(&'static str, String)>);

/// A receiver that runs, but not for longer than the test.
pub(crate) struct Receiver {
    server: Arc<Server>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    answer: Arc<Mutex<Answer>>,
    pub(crate) port: u16,
}

impl Receiver {
    /// Takes everything.
    pub(crate) fn start() -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let port = server.server_addr().to_ip().unwrap().port();
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new((200, None)));
        let receiver = Self {
            server: Arc::clone(&server),
            arrived: Arc::clone(&arrived),
            answer: Arc::clone(&answer),
            port,
        };
        thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let mut body = Vec::new();
                request.as_reader().read_to_end(&mut body).unwrap();
                let headers = request.headers().iter();
                let headers = headers.map(|header| {
                    let name = header.field.as_str().as_str().to_lowercase();
                    (name, header.value.as_str().to_owned())
                });
                arrived.lock().unwrap().push(Arrived {
                    path: request.url().to_owned(),
                    headers: headers.collect(),
                    body,
                });
                let (status, header) = answer.lock().unwrap().clone();
                let mut response = Response::empty(StatusCode(status));
                if let Some((name, value)) = header {
                    response.add_header(Header::from_bytes(name, value).unwrap());
                }
                // The sender may be gone.
                let _ = request.respond(response);
            }
        });
        receiver
    }

    pub(crate) fn answer(&self, status: u16, header: Option<(&'static str, String)>) {
        *self.answer.lock().unwrap() = (status, header);
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// Waits until so many messages came.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Arrived> {
        wait_until(&format!("{count} messages came"), || {
            self.arrived().len() >= count
        });
        self.arrived()
    }

    /// Waits until the messages of one JSON webhook told of so many events, listed or counted.
    #[track_caller]
    pub(crate) fn wait_for_events(&self, count: u64) -> (Vec<Value>, u64) {
        let told = || {
            let (mut events, mut more) = (Vec::new(), 0);
            for message in self.arrived() {
                let message = message.json();
                events.extend(message["events"].as_array().unwrap().clone());
                let counts = message["more"].as_object().unwrap().values();
                more += counts.map(|count| count.as_u64().unwrap()).sum::<u64>();
            }
            (events, more)
        };
        wait_until(&format!("{count} events were told"), || {
            let (events, more) = told();
            events.len() as u64 + more >= count
        });
        told()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.unblock();
    }
}
