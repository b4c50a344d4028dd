//! Folders that appear as a whole.

use std::fs;

use condotta_targets::{DirectoryTarget, Target, TargetError};

use crate::conformance::temporary_files;

#[test]
fn a_folder_appears_with_all_its_content_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let target = DirectoryTarget::new(folder.path().join("made/months"));
    let failed = target.populate(|inner| -> Result<(), _> {
        fs::write(inner.join("january"), "31")?;
        Err("february is missing".into())
    });
    assert!(matches!(failed, Err(TargetError::Fill { .. })));
    assert!(!target.exists().unwrap());

    target
        .populate(|inner| {
            assert!(!target.exists()?);
            fs::create_dir(inner.join("winter"))?;
            Ok(fs::write(inner.join("winter/january"), "31")?)
        })
        .unwrap();
    assert!(target.exists().unwrap());
    assert_eq!(
        target.list().unwrap(),
        [target.path().join("winter/january")]
    );
    assert_eq!(temporary_files(folder.path()), 0);

    let again = target.populate(|_| Ok(()));
    assert!(matches!(again, Err(TargetError::Exists { .. })));
    target.remove().unwrap();
    assert!(!target.exists().unwrap());
}

#[test]
fn the_flag_tells_complete_folders_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let target = DirectoryTarget::new(&path).success_flag(true);
    fs::create_dir(&path).unwrap();
    fs::write(path.join("rest of a failed attempt"), "").unwrap();
    assert!(DirectoryTarget::new(&path).exists().unwrap());
    assert!(!target.exists().unwrap());

    target
        .populate(|inner| Ok(fs::write(inner.join("part-0"), "x")?))
        .unwrap();
    assert!(target.exists().unwrap());
    assert!(path.join("_SUCCESS").is_file());
    assert_eq!(target.list().unwrap(), [path.join("part-0")]);
    assert!(matches!(
        target.populate(|_| Ok(())),
        Err(TargetError::Exists { .. })
    ));
    target.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_file_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "kept").unwrap();
    for target in [
        DirectoryTarget::new(&path),
        DirectoryTarget::new(&path).success_flag(true),
    ] {
        assert!(!target.exists().unwrap());
        assert!(target.populate(|_| Ok(())).is_err());
    }
    assert!(!DirectoryTarget::new(path.join("below")).exists().unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"kept");
}
