//! A web server with one page, with ranges, ETags and times of change, that fails as it is told.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What the server has and does.
#[derive(Clone, Default)]
pub struct Page {
    /// What is there.
    pub content: Vec<u8>,
    /// By what one content is told from another.
    pub etag: Option<String>,
    /// When the content changed last, as HTTP writes it.
    pub last_modified: Option<String>,
    /// Answers only requests with this header.
    pub wants: Option<String>,
    /// So many of the next requests are answered 503.
    pub busy: usize,
    /// The next answers break off after so many bytes, one after another.
    pub breaks: Vec<usize>,
    /// The content from the second request on.
    pub later: Option<Vec<u8>>,
    /// Knows no ranges.
    pub whole_only: bool,
}

/// A running server.
pub struct WebServer {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    page: Page,
    /// The first lines and headers of all requests.
    asked: Vec<String>,
}

impl WebServer {
    /// Starts one that has this page.
    pub fn start(page: Page) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Vec::new();
        let state = Arc::new(Mutex::new(State { page, asked }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let state = Arc::clone(&shared);
                thread::spawn(move || while answer(client.as_ref().unwrap(), &state) {});
            }
        });
        Self { port, state }
    }

    /// The page's address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/größe of/page.bin", self.port)
    }

    /// Changes what the server has and does.
    pub fn change(&self, change: impl FnOnce(&mut Page)) {
        change(&mut self.state.lock().unwrap().page);
    }

    /// The requests since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

/// Answers one request. `false`: the connection is over.
fn answer(client: &TcpStream, state: &Mutex<State>) -> bool {
    let mut lines = BufReader::new(client).lines();
    let mut request = String::new();
    loop {
        match lines.next() {
            Some(Ok(line)) if line.is_empty() => break,
            Some(Ok(line)) => request.push_str(&format!("{line}\n")),
            _ => return false,
        }
    }
    let mut state = state.lock().unwrap();
    let first = !state.asked.iter().any(|asked| asked.starts_with("GET"));
    state.asked.push(request.clone());
    if let Some(later) = state.page.later.take() {
        match first {
            true => state.page.later = Some(later),
            false => {
                state.page.content = later;
                state.page.etag = Some("\"later\"".to_owned());
            }
        }
    }
    let page = state.page.clone();
    let broken = page.breaks.first().copied();
    let answer = match request {
        request if !request.contains("/gr%C3%B6%C3%9Fe%20of/page.bin") => head("404 Not Found", 0),
        request
            if page
                .wants
                .as_ref()
                .is_some_and(|wanted| !request.contains(wanted)) =>
        {
            head("401 Unauthorized", 0)
        }
        _ if page.busy > 0 => {
            state.page.busy -= 1;
            head("503 Service Unavailable", 0)
        }
        request => of_page(&page, &request),
    };
    let length = match broken {
        Some(bytes) if answer.len() > bytes => {
            state.page.breaks.remove(0);
            bytes
        }
        _ => answer.len(),
    };
    drop(state);
    let mut client = client;
    if client.write_all(&answer[..length]).is_err() || length < answer.len() {
        let _ = client.shutdown(Shutdown::Both);
        return false;
    }
    true
}

fn of_page(page: &Page, request: &str) -> Vec<u8> {
    let value = |name: &str| {
        let line = request
            .lines()
            .find(|line| line.to_lowercase().starts_with(name));
        line.map(|line| line[name.len()..].trim().to_owned())
    };
    let known = |header: &str, now: &Option<String>| now.is_some() && value(header) == *now;
    if known("if-none-match:", &page.etag) || known("if-modified-since:", &page.last_modified) {
        return head("304 Not Modified", 0);
    }
    let header = |name: &str, value: &Option<String>| {
        let line = value.as_ref().map(|value| format!("{name}: {value}\r\n"));
        line.unwrap_or_default()
    };
    let validators = header("etag", &page.etag) + &header("last-modified", &page.last_modified);
    let total = page.content.len();
    let range = value("range:").filter(|_| !page.whole_only);
    let valid = value("if-range:")
        .is_none_or(|known| [&page.etag, &page.last_modified].contains(&&Some(known)));
    let (status, content, extra) = match range.as_deref().and_then(range_of) {
        Some((start, _)) if valid && start >= total => {
            return head("416 Range Not Satisfiable", 0);
        }
        Some((start, end)) if valid => {
            let end = end.map_or(total, |end| (end + 1).min(total));
            let extra = format!("content-range: bytes {start}-{}/{total}\r\n", end - 1);
            ("206 Partial Content", &page.content[start..end], extra)
        }
        _ => ("200 OK", &page.content[..], String::new()),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\n{validators}{extra}content-length: {}\r\n\r\n",
        content.len()
    )
    .into_bytes();
    if !request.starts_with("HEAD") {
        answer.extend_from_slice(content);
    }
    answer
}

fn head(status: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n").into_bytes()
}

/// The first and last of `bytes=5-9`.
fn range_of(range: &str) -> Option<(usize, Option<usize>)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    Some((start.parse().ok()?, end.parse().ok()))
}
