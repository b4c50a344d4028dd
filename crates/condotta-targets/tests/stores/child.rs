//! Runs a part of this program in a process of its own, which can be killed or measured. It reaches its
//! target as a pipeline does: by URL, with credentials from the environment and the configuration.

use std::{
    env,
    io::{self, Write},
    process::Command,
};

use condotta_targets::{ReadWrite, Target, UrlTarget};
use condotta_test_servers::{
    child::{Running, wait_to_be_killed},
    life::Peak,
};

use crate::{https, suite::said};

const ROLE: &str = "CONDOTTA_TEST_CHILD_ROLE";
const URL: &str = "CONDOTTA_TEST_CHILD_URL";

const MIB: usize = 1 << 20;
/// What the writer that is killed has written: more than is kept in memory.
pub(crate) const HALF: usize = 40 * MIB;
/// What is streamed to see that it takes no memory.
pub(crate) const STREAMED: usize = 1024 * MIB;

/// The children's way in: only a process that was started by [`start`] has a role.
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
    wait_to_be_killed();
}

/// Writes and reads a gigabyte, and says by how much its memory grew meanwhile.
fn stream(target: &UrlTarget) {
    let peak = Peak::now();
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
    println!("GREW {}", peak.growth_kib());
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

/// Starts a child that plays `role` with a URL, and has these variables for its credentials.
pub(crate) fn start(role: &str, url: &str, environment: &[(String, String)]) -> Running {
    Running::start(
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "child::plays_its_role", "--nocapture"])
            .env(ROLE, role)
            .env(URL, url)
            .envs(environment.iter().cloned()),
    )
}
