//! Runs a part of this program in a process of its own, which can be killed or measured. It reaches its
//! target as a pipeline does: by URL, with credentials from the environment and the configuration.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

use condotta_targets::{ReadWrite, Target, UrlTarget};

use crate::{https, suite::said};

const ROLE: &str = "CONDOTTA_TEST_CHILD_ROLE";
const URL: &str = "CONDOTTA_TEST_CHILD_URL";

const MIB: usize = 1 << 20;
/// What the writer that is killed has written: more than is kept in memory.
pub(crate) const HALF: usize = 40 * MIB;
/// What is streamed to see that it takes no memory.
pub(crate) const STREAMED: usize = 1024 * MIB;

/// The children's way in: only a process that was started by [`Running::start`] has a role.
#[test]
fn plays_its_role() {
    let Ok(role) = env::var(ROLE) else { return };
    let url = env::var(URL).expect("a URL");
    let target = UrlTarget::new(&url);
    match role.as_str() {
        "read over https" => https::read(&url),
        "stop half way" => stop_half_way(&target),
        "fail" => {
            let log = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG);
            log.with_writer(io::stdout).init();
            println!("{}", said(&target.exists().unwrap_err()));
        }
        "write" => {
            target.write("content").unwrap();
            println!("WRITTEN");
        }
        "stream" => stream(&target),
        _ => panic!("no role {role}"),
    }
}

/// Says when it has written a lot, and waits to be killed.
fn stop_half_way(target: &UrlTarget) {
    let mut writer = target.writer().unwrap();
    let block = vec![b'x'; MIB];
    for _ in 0..HALF / MIB {
        writer.write_all(&block).unwrap();
    }
    println!("READY");
    loop {
        std::thread::park();
    }
}

/// Writes and reads a gigabyte, and says by how much its memory grew meanwhile.
fn stream(target: &UrlTarget) {
    let before = peak_kib();
    let mut block: Vec<u8> = (0..MIB).map(|n| (n % 251) as u8).collect();
    let mut writer = target.writer().unwrap();
    for n in 0..STREAMED / MIB {
        block[0] = n as u8;
        writer.write_all(&block).unwrap();
    }
    writer.commit().unwrap();
    println!("WRITTEN");
    let mut sum = Sum(0);
    io::copy(&mut target.reader().unwrap(), &mut sum).unwrap();
    assert_eq!(sum.0, STREAMED);
    // The kernel counts in batches for each processor: the same peak may be a little less later.
    println!("GREW {}", peak_kib().saturating_sub(before));
}

/// Counts bytes and compares them with what was written.
struct Sum(usize);

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The first byte of each block has its number.
        for (place, byte) in (self.0..).zip(bytes).step_by(4093) {
            let expected = match place % MIB {
                0 => place / MIB,
                within => within % 251,
            };
            assert_eq!(*byte, expected as u8, "at {place}");
        }
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The most memory that this process had.
fn peak_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// A child process.
pub(crate) struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    /// Starts a child that plays `role` with a URL, and has these variables for its credentials.
    pub(crate) fn start(role: &str, url: &str, environment: &[(String, String)]) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child::plays_its_role", "--nocapture"])
            .env(ROLE, role)
            .env(URL, url)
            .envs(environment.iter().cloned())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Waits until the child says `word`, and gives the rest of that line.
    pub(crate) fn wait_for(&mut self, word: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.output.read_line(&mut line).unwrap();
            assert!(read > 0, "the child ended without saying {word}");
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Waits for the child's end, and gives all that it said.
    pub(crate) fn all_said(mut self) -> String {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        text
    }

    /// Kills the child with SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
