//! A way to a server that breaks when a test says so.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Passes connections on to a port.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// So many of the next connections are closed at once.
    refuse: AtomicUsize,
    /// The connections that are open.
    open: Mutex<Vec<TcpStream>>,
    /// After so many bytes from the server, the connection breaks, once.
    break_after: AtomicUsize,
    broken: AtomicBool,
}

impl Proxy {
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let state = Arc::clone(&shared);
                let client = client.unwrap();
                if take_one(&state.refuse) {
                    continue;
                }
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    relay(client, server, state);
                }
            }
        });
        Self { port, state }
    }

    /// Closes the next connections at once.
    pub(crate) fn refuse(&self, connections: usize) {
        self.state.refuse.store(connections, Ordering::SeqCst);
    }

    /// Breaks the connection that has brought so many bytes from the server, once.
    pub(crate) fn break_after(&self, bytes: usize) {
        self.state.break_after.store(bytes, Ordering::SeqCst);
    }

    /// Breaks the connections that are open.
    pub(crate) fn cut(&self) {
        for connection in self.state.open.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Whether a connection was broken since.
    pub(crate) fn has_broken(&self) -> bool {
        self.state.broken.load(Ordering::SeqCst)
    }
}

fn take_one(count: &AtomicUsize) -> bool {
    let taken = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    });
    taken.is_ok()
}

fn relay(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let both = [client.try_clone().unwrap(), server.try_clone().unwrap()];
    state.open.lock().unwrap().extend(both);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let (mut server, mut client) = (server, client);
        let mut buffer = vec![0; 64 * 1024];
        let mut passed = 0;
        while let Ok(read @ 1..) = server.read(&mut buffer) {
            if client.write_all(&buffer[..read]).is_err() {
                break;
            }
            passed += read;
            let limit = state.break_after.load(Ordering::SeqCst);
            if limit > 0 && passed >= limit {
                state.break_after.store(0, Ordering::SeqCst);
                state.broken.store(true, Ordering::SeqCst);
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}
