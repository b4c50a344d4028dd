//! Removes the temporary files and folders of runs that died.
//!
//! A folder is looked through once in a process, when the process first writes there: a listing for
//! each write would cost more than the write.

use std::{
    collections::HashSet,
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io,
    path::Path,
    sync::{LazyLock, Mutex, PoisonError},
};

use crate::temporary_name::is_temporary;

/// Hashes of the folders that need no look; by hash, for a run can write to very many.
struct Clean {
    hasher: RandomState,
    folders: Mutex<HashSet<u64>>,
}

static CLEAN: LazyLock<Clean> = LazyLock::new(|| Clean {
    hasher: RandomState::new(),
    folders: Mutex::default(),
});

/// Notes that `folder` needs no look, as one that is new. `true`: that was not known yet.
pub(super) fn mark_clean(folder: &Path) -> bool {
    let hash = CLEAN.hasher.hash_one(folder);
    let mut folders = CLEAN.folders.lock().unwrap_or_else(PoisonError::into_inner);
    folders.insert(hash)
}

/// Sweeps `folder` unless this process has done so.
pub(super) fn sweep_once(folder: &Path) {
    if mark_clean(folder) {
        // A folder that cannot be listed can still be written to.
        if let Err(error) = sweep(folder) {
            tracing::debug!(
                "did not look for old temporary files in {}: {error}",
                folder.display()
            );
        }
    }
}

/// Removes what is temporary in `folder` and locked by nobody.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !is_temporary(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        match remove_dead(&path, entry.file_type()?.is_dir()) {
            Ok(true) => tracing::info!("removed {}, left by a run that died", path.display()),
            Ok(false) => {}
            Err(error) => tracing::debug!("left {} alone: {error}", path.display()),
        }
    }
    Ok(())
}

/// Removes `path` if no run holds its lock.
fn remove_dead(path: &Path, is_folder: bool) -> io::Result<bool> {
    let file = File::open(path)?;
    if file.try_lock().is_err() {
        return Ok(false);
    }
    // Whoever made it and had no lock yet sees by its link count that it is gone, and makes another.
    if is_folder {
        fs::remove_dir_all(path)?;
    } else {
        fs::remove_file(path)?;
    }
    Ok(true)
}
