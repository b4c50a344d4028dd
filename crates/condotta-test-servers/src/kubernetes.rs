//! A stand-in for a cluster: the part of Kubernetes' API that a job needs, as its documentation describes it.
//! A pod is a process of this machine. What its image is called decides what becomes of it.

#![allow(clippy::unwrap_used, reason = "what goes wrong here fails a test")]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Requests are answered until its process ends.
pub struct Server {
    port: u16,
    cluster: Arc<Cluster>,
}

#[derive(Default)]
struct Cluster {
    state: Mutex<State>,
    changed: Condvar,
}

/// What there is, and what was asked for.
#[derive(Default)]
pub struct State {
    version: u64,
    /// By kind and name.
    objects: BTreeMap<(Kind, String), Value>,
    /// What watchers are told, with the version after it.
    events: Vec<(u64, Kind, &'static str, Value)>,
    /// What pods printed: the time and the line.
    output: BTreeMap<String, Vec<(String, String)>>,
    groups: BTreeMap<String, u32>,
    /// All jobs that were ever created.
    pub created: Vec<Value>,
    /// With what became of their pods.
    pub deleted: Vec<(String, String)>,
    /// After so many lines the next log breaks off, once.
    pub log_breaks_after: Option<usize>,
    /// The next watches are told that they are too old, so often.
    pub watches_expire: usize,
    /// All requests: method and address.
    pub requests: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Job,
    Pod,
}

impl Server {
    /// Starts one without any jobs.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cluster = Arc::<Cluster>::default();
        let answering = Arc::clone(&cluster);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let cluster = Arc::clone(&answering);
                thread::spawn(move || {
                    // A client that goes is not waited for.
                    let _ = answer(&cluster, stream.unwrap());
                });
            }
        });
        Self { port, cluster }
    }

    /// What clients find it by.
    pub fn write_kubeconfig(&self, path: &Path) {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters: [{{name: test, cluster: {{server: 'http://127.0.0.1:{}'}}}}]\n\
             contexts: [{{name: test, context: {{cluster: test, user: test, namespace: batch}}}}]\n\
             users: [{{name: test, user: {{token: t0ken}}}}]\n",
            self.port
        );
        std::fs::write(path, text).unwrap();
    }

    /// Nothing happens there while it is held.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.cluster.state()
    }

    /// The jobs that are there.
    pub fn jobs(&self) -> Vec<String> {
        let state = self.state();
        let jobs = state.objects.keys().filter(|(kind, _)| *kind == Kind::Job);
        jobs.map(|(_, name)| name.clone()).collect()
    }

    /// As somebody with `kubectl` does it.
    pub fn delete(&self, job: &str) {
        self.cluster.delete(job, "Background");
    }

    /// Waits half a minute at most.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so(&self.state()) {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl State {
    /// How many lines pods have printed.
    pub fn printed(&self) -> usize {
        self.output.values().map(Vec::len).sum()
    }
}

impl Cluster {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes an object, and tells who watches.
    fn put(&self, kind: Kind, event: &'static str, mut object: Value) {
        let mut state = self.state();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        if event != "ADDED" && !state.objects.contains_key(&(kind, name.clone())) {
            return;
        }
        state.version += 1;
        let version = state.version;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        match event {
            "DELETED" => _ = state.objects.remove(&(kind, name)),
            _ => _ = state.objects.insert((kind, name), object.clone()),
        }
        state.events.push((version, kind, event, object));
        drop(state);
        self.changed.notify_all();
    }

    fn create(self: &Arc<Self>, mut job: Value) -> Value {
        let name = job["metadata"]["name"].as_str().unwrap().to_owned();
        job["metadata"]["namespace"] = json!("batch");
        job["metadata"]["uid"] = json!("0");
        self.state().created.push(job.clone());
        self.put(Kind::Job, "ADDED", job.clone());
        let (cluster, template) = (Arc::clone(self), job["spec"]["template"].clone());
        let of_pod = job.clone();
        thread::spawn(move || cluster.run(&name, &of_pod, template));
        job
    }

    /// The life of a job's pod.
    fn run(&self, job: &str, of: &Value, mut pod: Value) {
        let name = format!("{job}-x7k2p");
        pod["metadata"]["name"] = json!(name);
        pod["metadata"]["namespace"] = json!("batch");
        pod["status"] = json!({"phase": "Pending"});
        self.put(Kind::Pod, "ADDED", pod.clone());
        let image = pod["spec"]["containers"][0]["image"].clone();
        let mut show = |phase: &str, state: Value| {
            pod["status"] = json!({"phase": phase, "containerStatuses": [{
                "name": "task", "image": image, "imageID": "", "ready": false, "restartCount": 0, "state": state,
            }]});
            self.put(Kind::Pod, "MODIFIED", pod.clone());
        };
        show(
            "Pending",
            json!({"waiting": {"reason": "ContainerCreating"}}),
        );
        if image == "missing" {
            let message = "Back-off pulling image \"missing\"";
            show(
                "Pending",
                json!({"waiting": {"reason": "ImagePullBackOff", "message": message}}),
            );
            return;
        }
        show("Running", json!({"running": {}}));
        let code = self.execute(&name, of);
        let ended = match (image.as_str(), code) {
            (_, 0) => json!({"exitCode": 0, "reason": "Completed"}),
            (Some("hungry"), _) => json!({"exitCode": 137, "reason": "OOMKilled"}),
            (_, code) => json!({"exitCode": code, "reason": "Error"}),
        };
        show(
            if code == 0 { "Succeeded" } else { "Failed" },
            json!({"terminated": ended}),
        );
        let condition = if code == 0 { "Complete" } else { "Failed" };
        let mut job = of.clone();
        job["status"] = json!({"conditions": [{"type": condition, "status": "True"}]});
        self.put(Kind::Job, "MODIFIED", job);
    }

    /// Runs the command of a pod, and keeps what it prints.
    fn execute(&self, pod: &str, job: &Value) -> i32 {
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        let words: Vec<&str> = container["command"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$@\" 2>&1", "sh"])
            .args(&words)
            .env("TEST_POD", pod);
        for variable in container["env"].as_array().unwrap() {
            command.env(
                variable["name"].as_str().unwrap(),
                variable["value"].as_str().unwrap(),
            );
        }
        if let Some(folder) = container["workingDir"].as_str() {
            command.current_dir(folder);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().unwrap();
        self.state().groups.insert(pod.to_owned(), child.id());
        for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
            let text = String::from_utf8(line.unwrap()).unwrap();
            let now = jiff::Timestamp::now().to_string();
            self.state()
                .output
                .entry(pod.to_owned())
                .or_default()
                .push((now, text));
            self.changed.notify_all();
        }
        let status = child.wait().unwrap();
        self.state().groups.remove(pod);
        self.changed.notify_all();
        status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap())
    }

    fn delete(&self, job: &str, policy: &str) -> Option<Value> {
        let pod = format!("{job}-x7k2p");
        let (object, of_pod, group) = {
            let mut state = self.state();
            let object = state.objects.get(&(Kind::Job, job.to_owned())).cloned()?;
            state.deleted.push((job.to_owned(), policy.to_owned()));
            let of_pod = state.objects.get(&(Kind::Pod, pod.clone())).cloned();
            (object, of_pod, state.groups.remove(&pod))
        };
        if let Some(group) = group {
            let group = nix::unistd::Pid::from_raw(group.try_into().unwrap());
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGTERM);
        }
        self.put(Kind::Job, "DELETED", object.clone());
        if let Some(pod) = of_pod {
            self.put(Kind::Pod, "DELETED", pod);
        }
        Some(object)
    }
}

fn answer(cluster: &Arc<Cluster>, stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut is_known) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_lowercase();
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        is_known |= header == "authorization: bearer t0ken";
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split_whitespace();
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    cluster.state().requests.push(format!("{method} {target}"));
    if !is_known {
        return refuse(stream, 401, "Unauthorized");
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (method, parts.as_slice()) {
        // This is not Kubernetes': tests in other processes look into the stand-in by it.
        ("GET", ["seen"]) => {
            let state = cluster.state();
            let seen = json!({"created": state.created, "deleted": state.deleted});
            drop(state);
            respond(stream, 200, &seen)
        }
        ("GET", ["apis", "batch", "v1", "namespaces", "batch", "jobs"]) => {
            list(cluster, stream, Kind::Job, &query)
        }
        ("GET", ["api", "v1", "namespaces", "batch", "pods"]) => {
            list(cluster, stream, Kind::Pod, &query)
        }
        ("GET", ["api", "v1", "namespaces", "batch", "pods", pod, "log"]) => {
            log(cluster, stream, pod, &query)
        }
        ("POST", ["apis", "batch", "v1", "namespaces", "batch", "jobs"]) => {
            if body["spec"]["template"]["spec"]["containers"][0]["image"] == "forbidden" {
                return refuse(
                    stream,
                    403,
                    "jobs.batch is forbidden: exceeded quota: compute",
                );
            }
            let job = cluster.create(body);
            respond(stream, 201, &job)
        }
        (_, ["apis", "batch", "v1", "namespaces", "batch", "jobs", name]) => {
            let found = match method {
                "DELETE" => {
                    cluster.delete(name, body["propagationPolicy"].as_str().unwrap_or("none"))
                }
                _ => cluster
                    .state()
                    .objects
                    .get(&(Kind::Job, (*name).to_owned()))
                    .cloned(),
            };
            match found {
                Some(object) => respond(stream, 200, &object),
                None => refuse(stream, 404, &format!("jobs.batch \"{name}\" not found")),
            }
        }
        _ => refuse(stream, 404, &format!("there is no {method} {path}")),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn respond(mut stream: TcpStream, code: u16, object: &Value) -> std::io::Result<()> {
    let text = object.to_string();
    write!(
        stream,
        "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

fn refuse(stream: TcpStream, code: u16, message: &str) -> std::io::Result<()> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code});
    respond(stream, code, &status)
}

/// Whether an object has the label or the name that is asked for.
fn is_wanted(object: &Value, query: &BTreeMap<String, String>) -> bool {
    let has = |selector: &str, labels: &Value| {
        let (name, value) = selector.split_once('=').unwrap();
        labels[name] == value
    };
    let by_label = query
        .get("labelSelector")
        .is_none_or(|selector| has(selector, &object["metadata"]["labels"]));
    let by_name = query.get("fieldSelector").is_none_or(|selector| {
        selector.strip_prefix("metadata.name=") == object["metadata"]["name"].as_str()
    });
    by_label && by_name
}

fn list(
    cluster: &Cluster,
    stream: TcpStream,
    kind: Kind,
    query: &BTreeMap<String, String>,
) -> std::io::Result<()> {
    if query.get("watch").is_some_and(|watch| watch == "true") {
        return watch(cluster, stream, kind, query);
    }
    let state = cluster.state();
    let of_kind = state.objects.iter().filter(|((of, _), _)| *of == kind);
    let items: Vec<&Value> = of_kind
        .map(|(_, object)| object)
        .filter(|object| is_wanted(object, query))
        .collect();
    let (name, version) = match kind {
        Kind::Job => ("JobList", "batch/v1"),
        Kind::Pod => ("PodList", "v1"),
    };
    let list = json!({"kind": name, "apiVersion": version, "metadata": {"resourceVersion": state.version.to_string()}, "items": items});
    drop(state);
    respond(stream, 200, &list)
}

fn begin_stream(stream: &mut TcpStream, kind: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
}

fn send_chunk(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    write!(stream, "{:x}\r\n{text}\r\n", text.len())
}

fn watch(
    cluster: &Cluster,
    mut stream: TcpStream,
    kind: Kind,
    query: &BTreeMap<String, String>,
) -> std::io::Result<()> {
    let mut from: u64 = query["resourceVersion"].parse().unwrap();
    begin_stream(&mut stream, "application/json")?;
    loop {
        let mut state = cluster.state();
        if state.watches_expire > 0 {
            state.watches_expire -= 1;
            drop(state);
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "message": "too old resource version", "code": 410});
            send_chunk(
                &mut stream,
                &format!("{}\n", json!({"type": "ERROR", "object": status})),
            )?;
            return send_chunk(&mut stream, "");
        }
        let events = state
            .events
            .iter()
            .filter(|(version, of, _, _)| *version > from && *of == kind);
        let lines: Vec<String> = events
            .filter(|(_, _, _, object)| is_wanted(object, query))
            .map(|(_, _, event, object)| format!("{}\n", json!({"type": event, "object": object})))
            .collect();
        from = state.version;
        drop(state);
        for line in lines {
            send_chunk(&mut stream, &line)?;
        }
        let state = cluster.state();
        if state.version == from {
            drop(
                cluster
                    .changed
                    .wait_timeout(state, Duration::from_millis(200))
                    .unwrap(),
            );
        }
    }
}

fn log(
    cluster: &Cluster,
    mut stream: TcpStream,
    pod: &str,
    query: &BTreeMap<String, String>,
) -> std::io::Result<()> {
    assert_eq!(query["timestamps"], "true");
    // The cluster counts whole seconds here.
    let since = query
        .get("sinceTime")
        .map(|time| time.get(..19).unwrap().to_owned());
    begin_stream(&mut stream, "text/plain")?;
    let mut sent = 0;
    loop {
        let mut state = cluster.state();
        let is_over = !state.groups.contains_key(pod);
        let lines = state.output.get(pod).cloned().unwrap_or_default();
        let breaks = state.log_breaks_after.filter(|after| *after <= lines.len());
        if breaks.is_some() {
            state.log_breaks_after = None;
        }
        drop(state);
        for (time, line) in lines.iter().skip(sent).take(breaks.unwrap_or(usize::MAX)) {
            if since.as_ref().is_none_or(|since| time[..19] >= since[..]) {
                send_chunk(&mut stream, &format!("{time} {line}\n"))?;
            }
        }
        if breaks.is_some() {
            // Without an end.
            return Ok(());
        }
        if is_over && sent == lines.len() {
            return send_chunk(&mut stream, "");
        }
        sent = lines.len();
        let state = cluster.state();
        drop(
            cluster
                .changed
                .wait_timeout(state, Duration::from_millis(50))
                .unwrap(),
        );
    }
}
