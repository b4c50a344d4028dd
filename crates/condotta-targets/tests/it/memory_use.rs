//! Streams need the memory of a buffer, not that of their content.

use std::{
    io::{self, Read, Write},
    path::PathBuf,
};

use condotta_targets::{Format, LocalTarget, ReadWrite};
use condotta_test_servers::life::Peak;

use crate::child;

const MIB: usize = 1 << 20;
const LENGTH: usize = 64 * MIB;

/// In a child, for its peak to be its own: writes and reads 64 MiB.
pub(crate) fn stream(path: PathBuf) {
    let peak = Peak::now();
    for format in [Format::Plain, Format::Zstd] {
        let target = LocalTarget::new(&path).format(format).fsync(false);
        let mut writer = target.writer().unwrap();
        let block = vec![7; MIB];
        for _ in 0..LENGTH / MIB {
            writer.write_all(&block).unwrap();
        }
        writer.commit().unwrap();
        let mut reader = target.reader().unwrap().take(u64::MAX);
        let read = io::copy(&mut reader, &mut io::sink()).unwrap();
        assert_eq!(read, LENGTH as u64);
    }
    println!("GREW {}", peak.growth_kib());
}

#[test]
fn memory_stays_far_below_the_content() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = child::start("stream", &folder.path().join("x"));
    let grew: usize = child.wait_for("GREW ").parse().unwrap();
    assert!(grew < LENGTH / 1024 / 4, "grew by {grew} KiB");
    child.finish();
}
