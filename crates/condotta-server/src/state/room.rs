//! Whether there is room again on a disk that was full.

use std::{fs, io::Write as _, path::Path};

use super::{
    error::{StateError, Tried as _},
    files::{self, Role},
};

/// Room for so many bytes is worth going on: with less, the next requests would fail again.
const ROOM: usize = 256 << 10;

/// Writes a file of some size and removes it again.
///
/// # Errors
///
/// When the system refuses. Nothing is left then.
pub(crate) fn try_room(directory: &Path) -> Result<(), StateError> {
    // The name of a snapshot that is not whole yet: if it stays, the next start removes it.
    let path = files::temporary(&directory.join(Role::Snapshot.file_name(0)));
    let written = write(&path);
    let removed = fs::remove_file(&path).tried("remove", &path);
    written.and(removed)
}

fn write(path: &Path) -> Result<(), StateError> {
    let mut file = files::create(path)?;
    // Not zeros, for which a file system might take no room.
    file.write_all(&vec![b'-'; ROOM]).tried("write", path)?;
    file.sync_all().tried("sync", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_where_there_is_room() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        try_room(folder.path()).expect("there is room");
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0);
    }

    #[test]
    fn a_place_that_cannot_be_written_has_none() {
        let error = try_room(Path::new("/proc/self")).expect_err("nobody can write there");
        assert!(error.to_string().starts_with("cannot create"), "{error}");
    }
}
