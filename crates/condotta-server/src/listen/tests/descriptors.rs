//! A server that may open few files, in a process of its own.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    listen::{Limits, Place, bind},
    testing::{PATIENCE, Setup, handle, receive, send},
};

const IN_CHILD: &str = "CONDOTTA_TEST_FEW_DESCRIPTORS";
const THIS_TEST: &str =
    "listen::tests::descriptors::too_few_descriptors_slow_clients_down_and_nothing_else";

#[test]
fn too_few_descriptors_slow_clients_down_and_nothing_else() {
    if std::env::var_os(IN_CHILD).is_some() {
        return serve_with_few();
    }
    let mut server = FewServer::start();

    let crowd: Vec<TcpStream> = (0..400).map(|_| server.connect()).collect();
    server.assert_rests();
    assert_eq!(
        server.ask(),
        200,
        "silent clients are cut off, and then others are served"
    );
    drop(crowd);

    server.tell("hoard");
    let mut waiting = server.connect();
    send(&mut waiting, "GET", "/api/is_paused", &[], b"");
    server.assert_rests();
    server.tell("free");
    assert_eq!(receive(&mut waiting, "GET").status, 200);
}

/// What the child does: serves, and takes or gives back all descriptors on demand.
fn serve_with_few() {
    let listeners = bind(&[Place::Loopback { port: 0 }]).expect("a free port");
    let limits = Limits {
        header_timeout: Duration::from_millis(400),
        ..Limits::default()
    };
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let server = setup.start_on(handle(&[]), listeners);
    // A first request, so that all that has to be opened is open.
    assert_eq!(server.get("/api/is_paused").status, 200);
    println!("\naddress {}", server.address);
    let mut hoard = Vec::new();
    for line in std::io::stdin().lines() {
        match line.expect("the parent writes lines").as_str() {
            "hoard" => hoard.extend(std::iter::from_fn(|| File::open("/dev/null").ok())),
            _ => hoard.clear(),
        }
        println!("\ndone");
    }
}

struct FewServer {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    address: SocketAddr,
}

impl FewServer {
    fn start() -> Self {
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n 150 && exec \"$@\"", "sh"])
            .arg(std::env::current_exe().expect("this program"))
            .args(["--exact", THIS_TEST, "--nocapture"])
            .env(IN_CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = next(&mut lines, "address ").parse().expect("an address");
        Self {
            child,
            lines,
            address,
        }
    }

    fn tell(&mut self, word: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{word}").expect("the child reads");
        next(&mut self.lines, "done");
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the system takes the connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream
    }

    fn ask(&self) -> u16 {
        let mut stream = self.connect();
        send(&mut stream, "GET", "/api/is_paused", &[], b"");
        receive(&mut stream, "GET").status
    }

    /// The server uses hardly any of the processor for a second.
    fn assert_rests(&self) {
        let before = self.processor_time();
        let began = Instant::now();
        thread::sleep(Duration::from_secs(1));
        let used = self.processor_time() - before;
        let share = used.as_secs_f64() / began.elapsed().as_secs_f64();
        assert!(share < 0.3, "it used {used:?} in {:?}", began.elapsed());
    }

    fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let (_, numbers) = stat.rsplit_once(')').expect("a command in parentheses");
        let field = |index| numbers.split_whitespace().nth(index).expect("a field");
        let ticks: u64 = [11, 12]
            .map(|index| field(index).parse::<u64>().expect("ticks"))
            .iter()
            .sum();
        // Linux counts these in hundredths of a second.
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for FewServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rest of the next line that begins with `start`.
fn next(lines: &mut impl Iterator<Item = std::io::Result<String>>, start: &str) -> String {
    let mut texts = lines.map(|line| line.expect("text"));
    texts
        .find_map(|line| line.strip_prefix(start).map(str::to_owned))
        .expect("the child says so before it ends")
}
