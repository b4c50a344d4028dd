//! Runs a part of this program in a process of its own, which can be killed or measured.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use condotta_test_servers::child::Running;

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

/// The children's way in: only a process that was started by [`start`] has a role.
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

/// Starts a child that plays `role` with `path`.
pub(crate) fn start(role: &str, path: &Path) -> Running {
    Running::start(
        Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "child::plays_its_role", "--nocapture"])
            .env(ROLE, role)
            .env(PATH, path),
    )
}
