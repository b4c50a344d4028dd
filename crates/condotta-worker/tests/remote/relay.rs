//! Stands between a worker and its server: writes down what passes, and loses answers on demand.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::Value;

/// A request that passed.
#[derive(Clone, Debug)]
pub struct Passed {
    pub method: String,
    pub keywords: Value,
}

/// Given a method and how often it was called before, whether the answer is lost.
type Loses = dyn Fn(&str, usize) -> bool + Send + Sync;

pub struct Relay {
    port: u16,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Relay {
    pub fn start(server: u16, loses: impl Fn(&str, usize) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(Mutex::new(Vec::new()));
        let (log, loses): (_, Arc<Loses>) = (Arc::clone(&passed), Arc::new(loses));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, log, loses) = (client.unwrap(), Arc::clone(&log), Arc::clone(&loses));
                std::thread::spawn(move || {
                    // Either side may leave at any time.
                    let _ = serve(&client, server, &log, &*loses);
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, passed }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What passed, without pings and what runs print, which come at any time.
    pub fn passed(&self) -> Vec<Passed> {
        let passed = self.passed.lock().unwrap();
        let any_time = |method: &str| method == "ping" || method.starts_with("attempt-log");
        let told = passed.iter().filter(|passed| !any_time(&passed.method));
        told.cloned().collect()
    }
}

fn serve(
    client: &TcpStream,
    server: u16,
    log: &Mutex<Vec<Passed>>,
    loses: &Loses,
) -> std::io::Result<()> {
    let mut from_client = BufReader::new(client);
    let upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, server))?;
    let mut from_server = BufReader::new(&upstream);
    loop {
        let Some((head, body)) = message(&mut from_client)? else {
            return Ok(());
        };
        let path = head.split(' ').nth(1).unwrap_or_default();
        let method = path.rsplit('/').next().unwrap_or_default().to_owned();
        let before = {
            let mut log = log.lock().unwrap();
            let before = log.iter().filter(|passed| passed.method == method).count();
            log.push(Passed {
                method: method.clone(),
                keywords: keywords(&body),
            });
            before
        };
        (&upstream).write_all(head.as_bytes())?;
        (&upstream).write_all(&body)?;
        let Some((head, body)) = message(&mut from_server)? else {
            return Ok(());
        };
        if loses(&method, before) {
            return Ok(());
        }
        let mut client = client;
        client.write_all(head.as_bytes())?;
        client.write_all(&body)?;
    }
}

/// The head of a message with its empty line, and its body.
fn message(from: &mut BufReader<&TcpStream>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let start = head.len();
        if from.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        let line = head[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some((head, body)))
}

/// Python writes what JSON lacks.
fn keywords(body: &[u8]) -> Value {
    // What runs print is no text.
    let text = std::str::from_utf8(body).unwrap_or_default();
    let text = text.strip_prefix("data=").unwrap_or_default();
    let text = decoded(text).replace("Infinity", "1e999");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}
