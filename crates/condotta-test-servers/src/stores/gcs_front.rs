//! What fake-gcs-server lacks, as a stand-in before it: uploads in parts, as Google's XML API has them, and
//! credentials. All else it passes on. A part is kept, and an object is made of all when the upload is completed.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tempfile::TempDir;

const REFUSAL: &str = r#"{"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"message":
    "Invalid Credentials", "domain": "global", "reason": "authError"}]}}"#;

/// A running front of an emulator.
pub struct Front {
    /// Where it listens.
    pub port: u16,
    state: Arc<State>,
}

struct State {
    emulator: u16,
    /// Who has this may do everything; without one everybody may.
    token: Option<String>,
    /// A folder for each upload, with a file for each part.
    uploads: TempDir,
    begun: AtomicUsize,
    completed: AtomicUsize,
}

impl Front {
    /// Before the emulator at a port.
    pub fn of(emulator: u16, token: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            emulator,
            token: token.map(str::to_owned),
            uploads: tempfile::tempdir().unwrap(),
            begun: AtomicUsize::new(0),
            completed: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let state = Arc::clone(&shared);
                // A client that has gone is no matter of the server's.
                thread::spawn(move || client.and_then(|client| state.answer(&client)));
            }
        });
        Self { port, state }
    }

    /// How many uploads in parts were begun, and how many of them completed.
    pub fn uploads(&self) -> (usize, usize) {
        let State {
            begun, completed, ..
        } = &*self.state;
        (
            begun.load(Ordering::SeqCst),
            completed.load(Ordering::SeqCst),
        )
    }
}

/// A request, read in whole.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(client: &TcpStream) -> io::Result<Self> {
        let mut client = BufReader::new(client);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            client.read_line(&mut line)?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        if lines.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let first = lines.remove(0);
        let mut words = first.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, target) = (word(), word());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut request = Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: lines,
            body: Vec::new(),
        };
        let length = request.header("content-length").unwrap_or_default();
        request.body = vec![0; length.parse().unwrap_or(0)];
        client.read_exact(&mut request.body)?;
        Ok(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl State {
    fn answer(&self, client: &TcpStream) -> io::Result<()> {
        let request = Request::read(client)?;
        if let Some(token) = &self.token
            && request.header("authorization") != Some(&format!("Bearer {token}"))
        {
            return say(client, "401 Unauthorized", "", REFUSAL);
        }
        let upload = request.parameter("uploadId");
        match (request.method.as_str(), upload) {
            ("POST", None) if request.query == "uploads" => self.begin(client),
            ("PUT", Some(upload)) => self.keep(client, upload, &request),
            ("POST", Some(upload)) => self.complete(client, upload, &request),
            ("DELETE", Some(upload)) => {
                fs::remove_dir_all(self.uploads.path().join(upload))?;
                say(client, "204 No Content", "", "")
            }
            _ => self.pass_on(client, &request),
        }
    }

    fn begin(&self, client: &TcpStream) -> io::Result<()> {
        let upload = self.begun.fetch_add(1, Ordering::SeqCst).to_string();
        fs::create_dir(self.uploads.path().join(&upload))?;
        let said = format!(
            "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
        );
        say(client, "200 OK", "", &said)
    }

    fn keep(&self, client: &TcpStream, upload: &str, request: &Request) -> io::Result<()> {
        let number = request.parameter("partNumber").unwrap_or_default();
        fs::write(self.uploads.path().join(upload).join(number), &request.body)?;
        say(
            client,
            "200 OK",
            &format!("ETag: \"part {number}\"\r\n"),
            "",
        )
    }

    /// Gives the emulator the parts that are named, one after the other.
    fn complete(&self, client: &TcpStream, upload: &str, request: &Request) -> io::Result<()> {
        let folder = self.uploads.path().join(upload);
        let named = String::from_utf8_lossy(&request.body);
        let mut content = Vec::new();
        for part in named.split("<PartNumber>").skip(1) {
            let number = part.split('<').next().unwrap_or_default();
            assert!(part.contains(&format!("part {number}")), "{part}");
            File::open(folder.join(number))?.read_to_end(&mut content)?;
        }
        let (bucket, name) = request.path[1..].split_once('/').unwrap_or_default();
        let insert = Request {
            method: "POST".to_owned(),
            path: format!("/upload/storage/v1/b/{bucket}/o"),
            query: format!("uploadType=media&name={name}"),
            headers: vec![format!("content-length: {}", content.len())],
            body: content,
        };
        let mut answer = Vec::new();
        self.ask_emulator(&insert)?.read_to_end(&mut answer)?;
        fs::remove_dir_all(folder)?;
        self.completed.fetch_add(1, Ordering::SeqCst);
        say(client, "200 OK", "", "<CompleteMultipartUploadResult/>")
    }

    fn pass_on(&self, mut client: &TcpStream, request: &Request) -> io::Result<()> {
        io::copy(&mut self.ask_emulator(request)?, &mut client)?;
        Ok(())
    }

    /// Sends a request, to whose answer the connection's end is the end.
    fn ask_emulator(&self, request: &Request) -> io::Result<TcpStream> {
        let mut emulator = TcpStream::connect(("127.0.0.1", self.emulator))?;
        let Request {
            method,
            path,
            query,
            ..
        } = request;
        let mut head = format!("{method} {path}?{query} HTTP/1.1\r\nconnection: close\r\n");
        head += &format!("host: 127.0.0.1:{}\r\n", self.emulator);
        for line in &request.headers {
            let name = line.split(':').next().unwrap_or_default().to_lowercase();
            if !["host", "connection"].contains(&name.as_str()) {
                head += &format!("{line}\r\n");
            }
        }
        write!(emulator, "{head}\r\n")?;
        emulator.write_all(&request.body)?;
        Ok(emulator)
    }
}

fn say(mut client: &TcpStream, status: &str, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
