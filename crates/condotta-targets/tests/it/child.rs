//! Runs a part of this program in a process of its own, which can be killed or measured.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{crash, memory_use};

const ROLE: &str = "CONDOTTA_TEST_CHILD_ROLE";
const PATH: &str = "CONDOTTA_TEST_CHILD_PATH";

/// What a child does with the path that it is given.
type Play = fn(PathBuf);

const ROLES: [(&str, Play); 6] = [
    ("stop in a stream", crash::stop_in_a_stream),
    ("stop in a temporary path", crash::stop_in_a_temporary_path),
    ("stop in a folder", crash::stop_in_a_folder),
    ("write again and again", crash::write_again_and_again),
    ("write once", crash::write_once),
    ("stream", memory_use::stream),
];

/// The children's way in: only a process that was started by [`Running::start`] has a role.
#[test]
fn plays_its_role() {
    let Ok(role) = env::var(ROLE) else { return };
    let path = env::var_os(PATH).expect("a path");
    let (_, play) = ROLES
        .iter()
        .find(|(name, _)| *name == role)
        .expect("a role");
    play(path.into());
}

/// A child process.
pub(crate) struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    /// Starts a child that plays `role` with `path`.
    pub(crate) fn start(role: &str, path: &Path) -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "child::plays_its_role", "--nocapture"])
            .env(ROLE, role)
            .env(PATH, path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, output }
    }

    /// Waits until the child says `word`, and gives the rest of that line.
    pub(crate) fn wait_for(&mut self, word: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.output.read_line(&mut line).expect("reads");
            assert!(read > 0, "the child ended without saying {word}");
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Kills the child with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Waits for the child's own end, which must be a good one.
    pub(crate) fn finish(mut self) {
        let mut rest = String::new();
        while self.output.read_line(&mut rest).expect("reads") > 0 {}
        assert!(self.child.wait().expect("ends").success(), "{rest}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
