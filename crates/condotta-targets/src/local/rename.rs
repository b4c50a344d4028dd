//! Renames that never replace.

use std::{fs, io, path::Path};

/// Renames `from` to `to` in one step, or fails with `AlreadyExists`.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use nix::{
            errno::Errno,
            fcntl::{AT_FDCWD, RenameFlags, renameat2},
        };
        match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
            // File systems and kernels that do not know the flag.
            Err(Errno::EINVAL | Errno::ENOSYS) => {}
            result => return result.map_err(io::Error::from),
        }
    }
    rename_new_by_link(from, to)
}

/// A second name fails when it is taken; only then the first is given up.
fn rename_new_by_link(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(from)?.is_dir() {
        // Folders have no second name. An empty folder that appears in between is replaced.
        if fs::symlink_metadata(to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        return fs::rename(from, to);
    }
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for rename in [rename_new, rename_new_by_link] {
            fs::write(&from, "new").expect("written");
            fs::write(&to, "old").expect("written");
            let error = rename(&from, &to).expect_err("taken");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&to).expect("kept"), b"old");
            fs::remove_file(&to).expect("removed");
            rename(&from, &to).expect("free");
            assert_eq!(fs::read(&to).expect("moved"), b"new");
            assert!(!from.exists());

            let inner = folder.path().join("inner");
            fs::create_dir(&inner).expect("made");
            assert!(rename(&inner, &to).is_err());
            fs::remove_file(&to).expect("removed");
            rename(&inner, &to).expect("free");
            assert!(to.is_dir());
            fs::remove_dir(&to).expect("removed");
        }
    }
}
