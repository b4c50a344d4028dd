//! A server as a process that lives as long as a test.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A process that ends with the test.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts a server that says `PORT` and its port in its first line.
    pub(crate) fn saying_its_port(mut command: Command) -> (Self, u16) {
        command.stdout(Stdio::piped());
        let mut child = start(command);
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line
            .trim()
            .strip_prefix("PORT ")
            .expect("the server starts");
        (Self { child }, port.parse().unwrap())
    }

    /// Starts a server that was told its port, and waits until it listens there.
    pub(crate) fn listening(command: Command, port: u16) -> Self {
        let mut server = Self {
            child: start(command),
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(Instant::now() < deadline, "nobody listens on port {port}");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn start(mut command: Command) -> Child {
    let started = command.spawn();
    started.unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"))
}
