//! What every store does alike. Each case gets a store with an empty folder in it.

use std::{
    error::Error,
    io,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use condotta_targets::{
    Format, Protocol, ReadWrite, RemoteFileSystem, RemoteTarget, Target, TargetError,
};

use crate::{
    child::{self, STREAMED},
    content,
    servers::free_port,
};

/// A store for one case.
pub(crate) struct Store<P: Protocol> {
    pub(crate) fs: RemoteFileSystem<P>,
    /// The URL of a folder with nothing in it.
    pub(crate) root: String,
    /// What gives another process the same access.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) can: Can,
}

/// What stores differ in.
#[derive(Clone, Copy)]
pub(crate) struct Can {
    /// There are folders with nothing in them.
    pub(crate) empty_folders: bool,
}

impl<P: Protocol> Store<P> {
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    /// The names of all files below a folder, as seen from the root.
    fn names(&self, folder: &str) -> Vec<String> {
        let files = match self.fs.list(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.can.empty_folders => {
                return Vec::new();
            }
            files => files.unwrap(),
        };
        let front = format!("{}/", self.root);
        files
            .into_iter()
            .map(|file| file.url().strip_prefix(&front).unwrap().to_owned())
            .collect()
    }
}

/// A test of each case, on stores that `$start` makes. Beside the store it gives what is to live as long.
macro_rules! cases {
    ($start:expr; $($case:ident)*) => {$(
        #[test]
        fn $case() {
            let (store, _server) = $start;
            $crate::suite::$case(&store);
        }
    )*};
}
pub(crate) use cases;

/// A test of each case that every store is asked for.
macro_rules! suite {
    ($start:expr) => {
        $crate::suite::cases! {
            $start;
            content_in_every_format
            nothing_is_seen_before_the_commit
            a_killed_writer_leaves_nothing
            parts_are_read
            folders_are_listed
            files_are_copied_moved_and_removed
            trees_are_moved_and_removed
            folders_are_made
            flags_tell_complete_folders
            what_is_missing_says_so
            programs_make_and_read_files
        }
    };
}
pub(crate) use suite;

pub(crate) fn content_in_every_format<P: Protocol>(store: &Store<P>) {
    for format in content::FORMATS {
        content::suite(|name| {
            let url = store.url(&format!("{format:?}/{name}"));
            store.fs.target(url).format(format)
        });
    }
    let gzip = store.fs.target(store.url("Gzip/a file"));
    assert!(gzip.read_bytes().unwrap().starts_with(b"\x1f\x8b"));
}

pub(crate) fn nothing_is_seen_before_the_commit<P: Protocol>(store: &Store<P>) {
    let target = store.fs.target(store.url("new"));
    let mut writer = target.writer().unwrap();
    let lots = vec![b'x'; 20 << 20];
    io::Write::write_all(&mut writer, &lots).unwrap();
    assert!(!target.exists().unwrap());
    assert_eq!(store.names(&store.root), [""; 0]);
    drop(writer);
    assert!(!target.exists().unwrap());
    assert_eq!(store.names(&store.root), [""; 0]);

    target.write("old").unwrap();
    let mut writer = target.writer().unwrap();
    io::Write::write_all(&mut writer, &lots).unwrap();
    assert_eq!(target.read_to_string().unwrap(), "old");
    writer.commit().unwrap();
    assert_eq!(target.size().unwrap(), 20 << 20);
    assert_eq!(store.names(&store.root), ["new"]);
}

pub(crate) fn a_killed_writer_leaves_nothing<P: Protocol>(store: &Store<P>) {
    let target = store.fs.target(store.url("out put"));
    for old in [None, Some("old")] {
        if let Some(old) = old {
            target.write(old).unwrap();
        }
        let mut writer = child::start("stop half way", &target.url(), &store.environment);
        writer.wait_for("READY");
        writer.kill();
        assert_eq!(target.exists().unwrap(), old.is_some());
        assert_eq!(store.names(&store.root).len(), usize::from(old.is_some()));
        if let Some(old) = old {
            assert_eq!(target.read_to_string().unwrap(), old);
        }
    }
    target.write("whole").unwrap();
    assert_eq!(target.read_to_string().unwrap(), "whole");
}

pub(crate) fn parts_are_read<P: Protocol>(store: &Store<P>) {
    let target = store.fs.target(store.url("numbers"));
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    target.write_bytes(&bytes).unwrap();
    for range in [0..4, 4000..300_000, 399_996..400_000] {
        let (start, end) = (range.start as usize, range.end as usize);
        assert!(target.read_range(range).unwrap() == bytes[start..end]);
    }
    assert_eq!(
        target.read_range(399_999..500_000).unwrap(),
        [bytes[399_999]]
    );
    assert_eq!(target.read_range(500_000..500_001).unwrap(), b"");
    assert_eq!(target.read_range(7..7).unwrap(), b"");
    assert_eq!(target.size().unwrap(), 400_000);
}

pub(crate) fn folders_are_listed<P: Protocol>(store: &Store<P>) {
    let names = ["b/c/größe 2", "b/1", "a", "b/c d/e", "bb/1"];
    for name in names {
        store.fs.target(store.url(name)).write(name).unwrap();
    }
    let mut all = names;
    all.sort_unstable();
    assert_eq!(store.names(&store.root), all);
    assert_eq!(
        store.names(&store.url("b")),
        ["b/1", "b/c d/e", "b/c/größe 2"]
    );
    assert_eq!(store.names(&store.url("b/c/")), ["b/c/größe 2"]);
    for file in store.fs.list(&store.root).unwrap() {
        assert!(file.url().ends_with(&file.read_to_string().unwrap()));
    }
    assert!(store.fs.is_dir(store.url("b")).unwrap());
    assert!(!store.fs.is_dir(store.url("a")).unwrap());
    assert!(!store.fs.is_dir(store.url("none")).unwrap());
    assert!(store.fs.list(store.url("a")).is_err());
}

pub(crate) fn files_are_copied_moved_and_removed<P: Protocol>(store: &Store<P>) {
    let from = store.fs.target(store.url("from here"));
    from.write("new").unwrap();
    let copy = store.fs.target(store.url("deep/er/cöpy"));
    for _ in 0..2 {
        store.fs.copy(from.url(), copy.url()).unwrap();
        assert_eq!(copy.read_to_string().unwrap(), "new");
    }
    assert!(from.exists().unwrap());

    let moved = store.fs.target(store.url("other/moved"));
    store.fs.move_to(from.url(), moved.url()).unwrap();
    assert!(!from.exists().unwrap());
    from.write("newer").unwrap();
    store.fs.move_to(from.url(), moved.url()).unwrap();
    assert_eq!(moved.read_to_string().unwrap(), "newer");

    moved.remove().unwrap();
    assert!(!moved.exists().unwrap());
    let error = store.fs.move_to(moved.url(), from.url()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(!from.exists().unwrap());
    assert_eq!(store.names(&store.root), ["deep/er/cöpy"]);
    let elsewhere = "nowhere://place/name";
    assert!(store.fs.copy(copy.url(), elsewhere).is_err());
}

pub(crate) fn trees_are_moved_and_removed<P: Protocol>(store: &Store<P>) {
    for name in ["tree/a", "tree/b/c d", "trees/x"] {
        store.fs.target(store.url(name)).write(name).unwrap();
    }
    store
        .fs
        .move_to(store.url("tree"), store.url("moved/tree"))
        .unwrap();
    assert_eq!(
        store.names(&store.root),
        ["moved/tree/a", "moved/tree/b/c d", "trees/x"]
    );
    let file = store.fs.target(store.url("moved/tree/b/c d"));
    assert_eq!(file.read_to_string().unwrap(), "tree/b/c d");
    store.fs.remove(store.url("moved/tree")).unwrap();
    assert!(!store.fs.exists(store.url("moved/tree")).unwrap());
    assert_eq!(store.names(&store.root), ["trees/x"]);
}

pub(crate) fn folders_are_made<P: Protocol>(store: &Store<P>) {
    let folder = store.url("new/földer with spaces");
    store.fs.make_dirs(&folder).unwrap();
    store.fs.make_dirs(&folder).unwrap();
    assert_eq!(store.fs.is_dir(&folder).unwrap(), store.can.empty_folders);
    let file = store.fs.target(format!("{folder}/file"));
    file.write("content").unwrap();
    assert!(store.fs.is_dir(&folder).unwrap() && store.fs.exists(&folder).unwrap());
    assert!(store.fs.make_dirs(file.url()).is_err());
    assert_eq!(file.read_to_string().unwrap(), "content");
}

pub(crate) fn flags_tell_complete_folders<P: Protocol>(store: &Store<P>) {
    let target = store.fs.flag_target(store.url("data/"));
    assert!(!target.exists().unwrap());
    target.part("part-0").write("0").unwrap();
    target
        .part("deep/part-1")
        .format(Format::Zstd)
        .write("1")
        .unwrap();
    assert!(!target.exists().unwrap());
    target.complete().unwrap();
    assert!(target.exists().unwrap());
    assert!(store.fs.exists(store.url("data/_SUCCESS")).unwrap());
    let parts = target.list().unwrap();
    let urls: Vec<String> = parts.iter().map(|part| part.url()).collect();
    assert_eq!(
        urls,
        ["data/deep/part-1", "data/part-0"].map(|name| store.url(name))
    );
    target.remove().unwrap();
    assert!(!target.exists().unwrap());
    assert!(!store.fs.exists(store.url("data")).unwrap());

    let own = store.fs.flag_target(store.url("own")).flag("DONE");
    own.complete().unwrap();
    assert!(own.exists().unwrap());
    own.remove().unwrap();
    assert!(!own.exists().unwrap());
}

pub(crate) fn what_is_missing_says_so<P: Protocol>(store: &Store<P>) {
    let url = store.url("no/such thing");
    let target = store.fs.target(&url);
    assert!(!target.exists().unwrap());
    for error in [
        target.read_to_string().map(drop).unwrap_err(),
        target.read_range(0..1).map(drop).unwrap_err(),
        target.size().map(drop).unwrap_err(),
        target.remove().unwrap_err(),
        store.fs.list(&url).map(drop).unwrap_err(),
        store.fs.copy(&url, store.url("copy")).unwrap_err(),
    ] {
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains(&url), "{error}");
    }
    let nameless = store.fs.target(format!("{}/", store.root));
    assert_eq!(
        nameless.write("x").unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
}

/// A program makes a file at a temporary path, and another reads a copy.
pub(crate) fn programs_make_and_read_files<P: Protocol>(store: &Store<P>) {
    let target = store.fs.target(store.url("möde by/a program.gz"));
    let target = target.format_by_extension();
    let mut seen = None;
    let made = target.temporary_path(|path| {
        seen = Some(path.to_owned());
        let program = r#"printf 'one\ntwo\n' | gzip >"$1""#;
        let mut command = Command::new("sh");
        let status = command.args(["-c", program, "sh"]).arg(path).status()?;
        assert!(!target.exists()?);
        Ok(status.success())
    });
    assert!(made.unwrap());
    let seen = seen.unwrap();
    assert_eq!(seen.file_name().unwrap(), "a program.gz");
    assert!(!seen.parent().unwrap().exists());
    assert_eq!(target.read_to_string().unwrap(), "one\ntwo\n");

    let copy = target.local_copy().unwrap();
    let path = copy.path().to_owned();
    assert_eq!(path.file_name().unwrap(), "a program.gz");
    let read = Command::new("gzip").args(["-dc"]).arg(&path).output();
    assert_eq!(read.unwrap().stdout, b"one\ntwo\n");
    drop(copy);
    assert!(!path.exists());

    let taken = target.temporary_path(|path| Ok(std::fs::write(path, "late")?));
    assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    let other = store.fs.target(store.url("other"));
    let nothing = other.temporary_path(|_| Ok(())).unwrap_err();
    assert!(said(&nothing).contains("nothing was made"), "{nothing:?}");
    let folder = other.temporary_path(|path| Ok(std::fs::create_dir(path)?));
    assert!(said(&folder.unwrap_err()).contains("no file"));
    let failed = other.temporary_path(|path| {
        std::fs::write(path, "half")?;
        Err::<(), _>("the program failed".into())
    });
    assert!(said(&failed.unwrap_err()).contains("the program failed"));
    assert!(!other.exists().unwrap());
    assert_eq!(
        other.local_copy().unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert_eq!(store.names(&store.root), ["möde by/a program.gz"]);
}

/// What killed writers left goes when somebody writes to the folder and it is old. `age` makes a file old, and
/// `fresh` has not written there.
pub(crate) fn what_killed_writers_left_is_swept<P: Protocol>(
    store: &Store<P>,
    fresh: &RemoteFileSystem<P>,
    age: impl Fn(&RemoteTarget<P>),
) {
    let [old, young, luigis, output] = [
        "an old-luigi-tmp-12345678901234567890",
        "a young-luigi-tmp-12345678901234567890",
        "luigis-luigi-tmp-1234567890",
        "output",
    ]
    .map(|name| store.fs.target(store.url(name)));
    for file in [&old, &young, &luigis, &output] {
        file.write("half").unwrap();
    }
    for file in [&old, &luigis, &output] {
        age(file);
    }
    fresh.target(store.url("new")).write("whole").unwrap();
    assert!(!old.exists().unwrap());
    for kept in [&young, &luigis, &output] {
        assert_eq!(kept.read_to_string().unwrap(), "half", "{kept}");
    }
}

/// The last part of a target's URL.
pub(crate) fn name_of<P: Protocol>(target: &RemoteTarget<P>) -> String {
    let url = target.url();
    url.rsplit_once('/').unwrap().1.to_owned()
}

/// Makes a file of this machine a little more than a day old.
pub(crate) fn make_old(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    file.set_modified(long_ago).unwrap();
}

/// Nobody is at this address, or there is none.
pub(crate) fn a_missing_host_is_an_error<P: Protocol>(fs: &RemoteFileSystem<P>, scheme: &str) {
    let nowhere = format!("{scheme}://no-such-host.invalid/x");
    let nobody = format!("{scheme}://127.0.0.1:{}/x", free_port());
    for url in [nowhere, nobody] {
        let target = fs.target(&url);
        for error in [
            target.exists().map(drop).unwrap_err(),
            target.write("x").unwrap_err(),
        ] {
            let said = said(&error);
            assert_ne!(error.kind(), io::ErrorKind::NotFound, "{said}");
            assert!(said.contains(&url), "{said}");
        }
    }
}

/// A gigabyte goes to the store and back through a process whose memory hardly grows.
pub(crate) fn a_gigabyte_needs_no_memory<P: Protocol>(store: &Store<P>) {
    let url = store.url("gigabyte");
    let mut child = child::start("stream", &url, &store.environment);
    let grew: usize = child.wait_for("GREW ").parse().unwrap();
    assert!(grew < STREAMED / 1024 / 8, "grew by {grew} KiB");
    assert_eq!(store.fs.size(&url).unwrap(), STREAMED as u64);
}

/// All that an error says, down to its last source.
pub(crate) fn said(error: &TargetError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    format!("{text} {error:?}")
}

/// A configuration for another process: the folder that has it, and the variable that names it.
pub(crate) fn configuration(text: &str) -> (tempfile::TempDir, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("luigi.cfg");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, vec![("LUIGI_CONFIG_PATH".to_owned(), path)])
}
