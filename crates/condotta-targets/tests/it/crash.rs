//! Processes that are killed while they write, and those that come after them.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use condotta_targets::{DirectoryTarget, LocalTarget, ReadWrite, Target};
use condotta_test_servers::child::wait_to_be_killed;

use crate::{child, conformance::temporary_files};

const LENGTH: usize = 300_000;

/// In a child: stops in the middle of a stream.
pub(crate) fn stop_in_a_stream(path: PathBuf) {
    let mut writer = LocalTarget::new(path).writer().unwrap();
    writer.write_all(&[b'x'; LENGTH]).unwrap();
    wait_to_be_killed();
}

/// In a child: stops while a program writes to a temporary path.
pub(crate) fn stop_in_a_temporary_path(path: PathBuf) {
    let stopped = LocalTarget::new(path).temporary_path(|path| -> Result<(), _> {
        fs::write(path, "half")?;
        wait_to_be_killed();
    });
    stopped.unwrap();
}

/// In a child: stops while it fills a folder.
pub(crate) fn stop_in_a_folder(path: PathBuf) {
    let stopped = DirectoryTarget::new(path).populate(|folder| -> Result<(), _> {
        fs::write(folder.join("part"), "half")?;
        wait_to_be_killed();
    });
    stopped.unwrap();
}

/// In a child: writes the whole of something again and again.
pub(crate) fn write_again_and_again(path: PathBuf) {
    let target = LocalTarget::new(path).fsync(false);
    for digit in (b'0'..=b'9').cycle() {
        println!("WRITES");
        target.write_bytes([digit; LENGTH]).unwrap();
    }
}

/// In a child: writes once.
pub(crate) fn write_once(path: PathBuf) {
    LocalTarget::new(path).write("once").unwrap();
}

#[test]
fn a_killed_writer_leaves_no_output_and_the_next_run_sweeps() {
    for role in [
        "stop in a stream",
        "stop in a temporary path",
        "stop in a folder",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let target = LocalTarget::new(folder.path().join("out put"));
        let mut writer = child::start(role, target.path());
        writer.wait_for("READY");
        assert!(!target.exists().unwrap(), "{role}");

        // Others that write meanwhile sweep, but not what a living run holds.
        let other = folder.path().join("other");
        child::start("write once", &other).finish();
        assert_eq!(fs::read(&other).unwrap(), b"once");
        assert_eq!(temporary_files(folder.path()), 1, "{role}");

        writer.kill();
        assert!(!target.exists().unwrap(), "{role}");
        assert_eq!(temporary_files(folder.path()), 1, "{role}");
        target.write("whole").unwrap();
        assert_eq!(target.read_to_string().unwrap(), "whole");
        assert_eq!(temporary_files(folder.path()), 0, "{role}");
    }
}

#[test]
fn what_others_name_alike_is_not_swept() {
    let folder = tempfile::tempdir().unwrap();
    let stock = folder.path().join("x-luigi-tmp-1234567890");
    fs::write(&stock, "of stock Luigi").unwrap();
    LocalTarget::new(folder.path().join("x"))
        .write("x")
        .unwrap();
    assert_eq!(fs::read(&stock).unwrap(), b"of stock Luigi");
}

#[test]
fn killed_at_any_moment_the_output_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for kills in 1..=10 {
        let mut writer = child::start("write again and again", &path);
        for _ in 0..kills {
            writer.wait_for("WRITES");
        }
        writer.kill();
        assert!(whole_or_absent(&path).unwrap());
    }
    LocalTarget::new(&path).write("last").unwrap();
    assert_eq!(temporary_files(folder.path()), 0);
}

fn whole_or_absent(path: &Path) -> io::Result<bool> {
    let mut bytes = Vec::new();
    match fs::File::open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(bytes.len() == LENGTH && bytes.iter().all(|byte| *byte == bytes[0]))
}
