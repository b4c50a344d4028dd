//! Removes the temporary files that killed writers left on a server.
//!
//! Nothing on a server tells a writer that died from one that is slow, so their age decides. A folder is looked
//! through once in a process, when the process first writes there.

use std::{
    collections::HashSet,
    io,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::by_rename::{Files, within};
use crate::temporary_name::is_temporary;

/// The folders that need no look.
#[derive(Default)]
pub(super) struct Clean(Mutex<HashSet<String>>);

impl Clean {
    /// Notes that a folder needs no look, as one that is new. `true`: that was not known yet.
    pub(super) fn mark(&self, folder: &str) -> bool {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !folders.contains(folder) && folders.insert(folder.to_owned())
    }

    /// Sweeps a folder unless this process has done so.
    pub(super) fn sweep_once(&self, files: &impl Files, folder: &str) {
        if !self.mark(folder) {
            return;
        }
        // A folder that cannot be listed can still be written to.
        if let Err(error) = sweep(files, folder) {
            tracing::debug!("did not look for old temporary files in {folder}: {error}");
        }
    }
}

fn sweep<F: Files>(files: &F, folder: &str) -> io::Result<()> {
    for (name, is_folder) in files.entries(folder)? {
        if is_folder || !is_temporary(name.as_ref()) {
            continue;
        }
        let path = within(folder, &name);
        match remove_old(files, &path) {
            Ok(true) => tracing::info!("removed {path}, left by a run that died"),
            Ok(false) => {}
            Err(error) => tracing::debug!("left {path} alone: {error}"),
        }
    }
    Ok(())
}

fn remove_old<F: Files>(files: &F, path: &str) -> io::Result<bool> {
    let is_old = age(files.modified(path)?).is_some_and(|age| age > F::LONGEST_WRITE);
    if is_old {
        files.remove_file(path)?;
    }
    Ok(is_old)
}

/// The age by the clocks of both machines, which differ by less than what counts.
fn age(modified: SystemTime) -> Option<Duration> {
    SystemTime::now().duration_since(modified).ok()
}
