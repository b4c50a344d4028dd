//! Runs a part of this program in a process of its own, which can be killed or measured.

use std::{env, process::Command};

use condotta_test_servers::child::Running;

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

/// Starts a child that plays `role`.
pub(crate) fn start(role: &str, url: &str, path: &str) -> Running {
    start_with(&[], role, url, path)
}

/// The same with variables of the environment.
pub(crate) fn start_with(variables: &[(&str, &str)], role: &str, url: &str, path: &str) -> Running {
    Running::start(
        Command::new(env::current_exe().unwrap())
            .env_remove("PGPASSWORD")
            .env_remove("MYSQL_PWD")
            .env("PGPASSFILE", "/dev/null")
            .envs(variables.iter().copied())
            .env(ROLE, role)
            .env(URL, url)
            .env(PATH, path),
    )
}
