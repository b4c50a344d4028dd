//! The suite of behaviour over files and memory.

use std::path::Path;

use condotta_targets::{Format, LocalTarget, MemoryStore};

use crate::content::{FORMATS, suite};

#[test]
fn local_files() {
    for format in FORMATS {
        // Durability is of the file, not of its format: waiting for the disk once is enough.
        let durable = format == Format::Plain;
        let folder = tempfile::tempdir().unwrap();
        suite(|name| {
            LocalTarget::new(folder.path().join(name))
                .format(format)
                .fsync(durable)
        });
        assert_eq!(temporary_files(folder.path()), 0, "{format:?}");
    }
}

#[test]
fn memory() {
    for format in FORMATS {
        let store = MemoryStore::new();
        suite(|name| store.target(name).format(format));
        assert!(!store.names().contains(&"missing".to_owned()));
    }
}

/// How many files and folders under `folder` are temporary.
pub(crate) fn temporary_files(folder: &Path) -> usize {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let inside = if path.is_dir() {
                temporary_files(&path)
            } else {
                0
            };
            inside + usize::from(name.contains("-luigi-tmp-"))
        })
        .sum()
}
