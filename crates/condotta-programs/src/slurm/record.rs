//! What is known of a task's job, in a folder of its own that all nodes share.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::SlurmError;

/// The folder of one task.
pub(super) struct Record {
    folder: PathBuf,
}

impl Record {
    /// Makes the folder, if it is not there.
    pub(super) fn open(top: &Path, task_id: &str) -> Result<Self, SlurmError> {
        let top = std::path::absolute(top).map_err(at(top))?;
        let folder = top.join(task_id);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn script(&self) -> PathBuf {
        self.folder.join("script")
    }

    /// The file that an element prints to; a job alone is element 0.
    pub(super) fn output(&self, index: usize) -> PathBuf {
        self.folder.join(format!("out.{index}"))
    }

    pub(super) fn errors(&self, index: usize) -> PathBuf {
        self.folder.join(format!("err.{index}"))
    }

    /// The job that was submitted for this script, if it was.
    pub(super) fn job(&self, script: &[u8]) -> Option<String> {
        self.any_job().filter(|_| self.has(script))
    }

    /// Whether this is the script of the newest job.
    pub(super) fn has(&self, script: &[u8]) -> bool {
        fs::read(self.script()).is_ok_and(|known| known == script)
    }

    /// Whatever job was submitted for the task.
    pub(super) fn any_job(&self) -> Option<String> {
        let job = fs::read_to_string(self.folder.join("job")).ok()?;
        Some(job.trim().to_owned())
    }

    /// Empties the folder for a job that is about to be submitted.
    pub(super) fn begin(&self, script: &[u8]) -> Result<(), SlurmError> {
        self.forget();
        fs::create_dir_all(&self.folder).map_err(at(&self.folder))?;
        let path = self.script();
        fs::write(&path, script).map_err(at(&path))
    }

    /// The job was submitted.
    pub(super) fn submitted(&self, job: &str) -> Result<(), SlurmError> {
        let (path, new) = (self.folder.join("job"), self.folder.join("job.new"));
        let write = || {
            fs::write(&new, format!("{job}\n"))?;
            fs::File::open(&new)?.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(at(&path))
    }

    /// With which code an element ended, if it ended by itself.
    pub(super) fn code(&self, index: usize) -> Option<i32> {
        let text = fs::read_to_string(self.folder.join(format!("exit.{index}"))).ok()?;
        text.trim().parse().ok()
    }

    /// The job has ended and been reported: another try begins anew. What it printed stays.
    pub(super) fn close(&self) {
        let _ = fs::remove_file(self.folder.join("job"));
    }

    /// Nothing of it is needed any more.
    pub(super) fn forget(&self) {
        // What stays does no harm: the next job of the task replaces it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> SlurmError {
    let path = path.to_owned();
    move |source| SlurmError::Folder { path, source }
}
