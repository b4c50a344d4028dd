//! What only files can do, and how they fail.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::symlink,
    sync::{Arc, Mutex},
};

use condotta_targets::{LocalTarget, ReadWrite, Target, TargetError};

use crate::conformance::temporary_files;

#[test]
fn formats_are_taken_from_the_extension_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    for (name, magic) in [
        ("a.gz", &b"\x1f\x8b"[..]),
        ("a.bz2", b"BZh"),
        ("a.zst", b"\x28\xb5\x2f\xfd"),
        ("a.xz", b"\xfd7zXZ\0"),
        ("a.txt", b"content"),
    ] {
        let plain = LocalTarget::new(folder.path().join(name));
        plain.write("content").unwrap();
        assert_eq!(fs::read(plain.path()).unwrap(), b"content");
        let by_extension = plain.format_by_extension();
        by_extension.write("content").unwrap();
        assert!(
            fs::read(by_extension.path()).unwrap().starts_with(magic),
            "{name}"
        );
        assert_eq!(by_extension.read_to_string().unwrap(), "content");
    }
}

#[test]
fn a_cut_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.gz", "a.bz2", "a.zst", "a.xz"] {
        let target = LocalTarget::new(folder.path().join(name)).format_by_extension();
        target.write("line\n".repeat(10_000)).unwrap();
        let bytes = fs::read(target.path()).unwrap();
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            fs::write(target.path(), &bytes[..length]).unwrap();
            let error = target.read_bytes().unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {target}"));
            let lines = target
                .lines()
                .and_then(|lines| lines.collect::<Result<Vec<_>, _>>());
            assert_eq!(
                lines.unwrap_err().to_string(),
                format!("cannot read {target}")
            );
            let copied = target
                .reader()
                .map_err(io::Error::from)
                .and_then(|mut reader| io::copy(&mut reader, &mut io::sink()));
            assert_eq!(
                copied.unwrap_err().to_string(),
                format!("cannot read {target}")
            );
        }
    }
}

#[test]
fn files_of_other_programs_are_read_whole() {
    // What Python's gzip, bz2 and lzma make of `one\n`; written twice, as `cat` joins files.
    let gzip: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcfK\xe5\x02\x00\x9f\xa8\x17\xf8\x04\x00\x00\x00";
    let bzip2: &[u8] = b"BZh91AY&SYx\x13\xc0\x82\x00\x00\x01\xc1\x00\x00\x10\x02\x01\xa0\x00!\x9ah3M\x0c\xbc]\xc9\x14\xe1BA\xe0O\x02\x08";
    let xz: &[u8] = b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x03one\x0a\x00\xf5\x5c\xbbV\x1f\xc6\xfd\x86\x00\x01\x1c\x04o,\x9c\xc1\x1f\xb6\xf3}\x01\x00\x00\x00\x00\x04YZ";
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a.gz", gzip), ("a.bz2", bzip2), ("a.xz", xz)] {
        let target = LocalTarget::new(folder.path().join(name)).format_by_extension();
        fs::write(target.path(), bytes.repeat(2)).unwrap();
        assert_eq!(target.read_to_string().unwrap(), "one\none\n", "{name}");
    }
}

#[test]
fn below_a_file_there_is_nothing_and_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let target = LocalTarget::new(folder.path().join("file/below/it"));
    assert!(!target.exists().unwrap());
    let error = target.write("x").unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {target}"));
    assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"");
}

#[test]
fn a_path_without_a_name_and_a_folder_in_the_way_are_errors() {
    for path in ["", "/", ".."] {
        let error = LocalTarget::new(path).write("x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("folder"));
    fs::create_dir(target.path()).unwrap();
    assert!(target.write("x").is_err());
    assert!(target.is_dir());
    assert!(target.read_to_string().is_err());
    assert_eq!(temporary_files(folder.path()), 0);
}

#[test]
fn a_link_that_leads_nowhere_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("link"));
    symlink("nowhere", target.path()).unwrap();
    assert!(!target.exists().unwrap());
}

#[test]
fn programs_write_to_a_temporary_path() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("new/sorted.txt"));
    let seen = target
        .temporary_path(|path| {
            assert!(!path.exists() && path.parent().unwrap().is_dir());
            assert_eq!(path.file_name(), target.path().file_name());
            fs::write(path, "sorted")?;
            assert!(!target.exists()?);
            Ok(path.to_owned())
        })
        .unwrap();
    assert_eq!(target.read_to_string().unwrap(), "sorted");
    assert!(!seen.exists());

    let tree = LocalTarget::new(folder.path().join("tree"));
    tree.temporary_path(|path| {
        fs::create_dir_all(path.join("a/b"))?;
        Ok(fs::write(path.join("a/b/c"), "c")?)
    })
    .unwrap();
    assert_eq!(tree.list().unwrap(), [tree.path().join("a/b/c")]);
    assert_eq!(temporary_files(folder.path()), 0);
}

#[test]
fn a_temporary_path_becomes_nothing_when_the_program_fails() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("x"));
    let failed = target.temporary_path(|path| -> Result<(), _> {
        fs::write(path, "half")?;
        Err("exit code 1".into())
    });
    assert!(matches!(failed, Err(TargetError::Fill { .. })));
    let idle = target.temporary_path(|_| Ok(())).unwrap_err();
    assert_eq!(idle.to_string(), format!("cannot fill {target}"));
    assert!(!target.exists().unwrap());

    target.write("old").unwrap();
    let taken = target.temporary_path(|path| Ok(fs::write(path, "new")?));
    assert!(matches!(taken, Err(TargetError::Exists { .. })));
    assert_eq!(target.read_to_string().unwrap(), "old");
    assert_eq!(temporary_files(folder.path()), 0);
}

#[test]
fn wildcards_are_warned_of_once() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..3 {
            LocalTarget::new("data/once-*.csv").exists().unwrap();
            LocalTarget::new("data/plain.csv").exists().unwrap();
        }
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(
        text.matches("Using wildcards in path data/once-*.csv")
            .count(),
        1
    );
    assert!(!text.contains("plain"));
}

/// Lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
