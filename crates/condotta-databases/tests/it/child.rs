//! Runs a part of this program in a process of its own, which can be killed or measured.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{faults, kills, memory};

const ROLE: &str = "CONDOTTA_TEST_CHILD_ROLE";
const URL: &str = "CONDOTTA_TEST_CHILD_URL";
const PATH: &str = "CONDOTTA_TEST_CHILD_PATH";

/// What a child does with a database and a path.
type Play = fn(&str, &str);

const ROLES: [(&str, Play); 6] = [
    ("stop while copying", kills::stop_while_copying),
    ("stop before the end", kills::stop_before_the_end),
    ("dump without end", kills::dump_without_end),
    ("look", faults::look),
    ("copy a million", memory::copy_a_million),
    ("dump a million", memory::dump_a_million),
];

/// Plays the role of a child, if this process was started as one.
pub(crate) fn play_a_role() -> bool {
    let Ok(role) = env::var(ROLE) else {
        return false;
    };
    let (_, play) = ROLES.iter().find(|(name, _)| *name == role).unwrap();
    play(&env::var(URL).unwrap(), &env::var(PATH).unwrap());
    true
}

/// A child process.
pub(crate) struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(role: &str, url: &str, path: &str) -> Self {
        Self::start_with(&[], role, url, path)
    }

    /// Starts it with variables of the environment.
    pub(crate) fn start_with(
        variables: &[(&str, &str)],
        role: &str,
        url: &str,
        path: &str,
    ) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .env_remove("PGPASSWORD")
            .env_remove("MYSQL_PWD")
            .env("PGPASSFILE", "/dev/null")
            .envs(variables.iter().copied())
            .env(ROLE, role)
            .env(URL, url)
            .env(PATH, path)
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

    /// Kills the child with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
