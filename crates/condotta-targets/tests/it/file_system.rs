//! Copy, move, rename, list and remove.

use std::{fs, io, os::unix::fs::PermissionsExt};

use condotta_targets::{LocalFileSystem, LocalTarget, ReadWrite, Target, TargetError};

#[test]
fn copy_and_move_make_parents_and_replace_files() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("from"));
    target.write("new").unwrap();
    fs::set_permissions(target.path(), fs::Permissions::from_mode(0o640)).unwrap();

    let copy = folder.path().join("deep/er/copy");
    target.copy_to(&copy).unwrap();
    target.copy_to(&copy).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), b"new");
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o640
    );

    let moved = folder.path().join("other/moved");
    target.move_to(&moved).unwrap();
    assert!(!target.exists().unwrap());
    assert_eq!(fs::read(&moved).unwrap(), b"new");
    fs::write(target.path(), "newer").unwrap();
    target.move_to(&moved).unwrap();
    assert_eq!(fs::read(&moved).unwrap(), b"newer");

    let error = target
        .move_to(folder.path().join("never/made"))
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(!folder.path().join("never").exists());
}

#[test]
fn rename_dont_move_replaces_nothing_and_enters_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("from"));
    target.write("x").unwrap();
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    let error = target.rename_dont_move(&taken).unwrap_err();
    assert!(matches!(error, TargetError::Exists { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "cannot rename to {}, which exists already; remove it first",
            taken.display()
        )
    );
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 0);
    target
        .rename_dont_move(folder.path().join("made/free"))
        .unwrap();
    assert_eq!(fs::read(folder.path().join("made/free")).unwrap(), b"x");
}

#[test]
fn list_goes_deep_and_remove_takes_all() {
    let folder = tempfile::tempdir().unwrap();
    let system = LocalFileSystem::new();
    let root = folder.path().join("root");
    system.make_dirs(root.join("b/c")).unwrap();
    system.make_dirs(root.join("b/c")).unwrap();
    for name in ["b/c/2", "b/1", "a"] {
        fs::write(root.join(name), "").unwrap();
    }
    let expected = ["a", "b/1", "b/c/2"].map(|name| root.join(name));
    assert_eq!(system.list(&root).unwrap(), expected);
    assert!(system.is_dir(&root) && !system.is_dir(root.join("a")));
    system.remove(root.join("a")).unwrap();
    system.remove(&root).unwrap();
    assert!(!system.exists(&root).unwrap());
    assert_eq!(
        system.remove(&root).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert!(system.list(&root).is_err());
}

#[test]
fn folders_need_a_free_name_and_a_parent() {
    let folder = tempfile::tempdir().unwrap();
    let system = LocalFileSystem::new().fsync(false);
    let path = |name: &str| folder.path().join(name);
    system.make_dir(path("new")).unwrap();
    assert!(matches!(
        system.make_dir(path("new")),
        Err(TargetError::Exists { .. })
    ));
    let error = system.make_dir(path("no/parent")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    fs::write(path("file"), "").unwrap();
    assert!(system.make_dirs(path("file")).is_err());
    assert!(system.make_dirs(path("file/below")).is_err());
}

#[test]
fn moves_to_another_disk() {
    // Shared memory is a file system of its own, whatever the temporary folder is on.
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let tree = LocalTarget::new(folder.path().join("tree"));
    fs::create_dir(tree.path()).unwrap();
    fs::write(tree.path().join("file"), "content").unwrap();
    let to = elsewhere.path().join("new/tree");
    tree.move_to(&to).unwrap();
    assert!(!tree.exists().unwrap());
    assert_eq!(fs::read(to.join("file")).unwrap(), b"content");
    assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
}
