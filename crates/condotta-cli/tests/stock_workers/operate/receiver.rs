//! A receiver of webhooks that takes everything and keeps it.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use tiny_http::{Response, Server};

/// It runs, but not for longer than the test.
pub(super) struct Receiver {
    server: Arc<Server>,
    body: Arc<Mutex<String>>,
    pub(super) port: u16,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let body = Arc::new(Mutex::new(String::new()));
        let port = server.server_addr().to_ip().unwrap().port();
        let receiver = Self {
            server: Arc::clone(&server),
            body: Arc::clone(&body),
            port,
        };
        thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let mut arrived = String::new();
                request.as_reader().read_to_string(&mut arrived).unwrap();
                body.lock().unwrap().push_str(&arrived);
                // The sender may be gone.
                let _ = request.respond(Response::empty(200));
            }
        });
        receiver
    }

    /// All that arrived.
    pub(super) fn body(&self) -> String {
        self.body.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.unblock();
    }
}
