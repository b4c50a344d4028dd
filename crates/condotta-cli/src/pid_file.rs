//! The file that names the server's process, as luigid's `--pidfile`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nix::{errno::Errno, sys::signal, unistd::Pid};

/// A file that names this process; it goes with it.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

/// Why the file cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PidFileError {
    /// The process that it names runs.
    #[error("the scheduler already runs (pid {pid}, says {}): stop it, or name another --pidfile", path.display())]
    Running {
        /// The process.
        pid: i32,
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write the pid file {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PidFile {
    /// Refuses a file whose process runs.
    pub(crate) fn check(path: &Path) -> Result<(), PidFileError> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let Ok(pid) = text.trim().parse::<i32>() else {
            return Ok(());
        };
        let is_own = u32::try_from(pid).is_ok_and(|pid| pid == std::process::id());
        if pid > 0 && !is_own && runs(Pid::from_raw(pid)) {
            let path = path.to_owned();
            return Err(PidFileError::Running { pid, path });
        }
        Ok(())
    }

    /// Writes this process's id. What a process that is gone left there is replaced.
    pub(crate) fn claim(path: &Path) -> Result<Self, PidFileError> {
        Self::check(path)?;
        let wrong = |source| PidFileError::Write {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(wrong)?;
        }
        fs::write(path, std::process::id().to_string()).map_err(wrong)?;
        let path = path.to_owned();
        Ok(Self { path })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let own = std::process::id().to_string();
        if fs::read_to_string(&self.path).is_ok_and(|text| text == own) {
            // Whoever finds it sees that its process is gone.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether there is such a process; signal 0 only asks. One that has ended and that nobody has asked about since, as in
/// a container whose first process never does, is there and runs no more.
fn runs(pid: Pid) -> bool {
    let is_there = !matches!(signal::kill(pid, None), Err(Errno::ESRCH));
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it, in parentheses, may be anything.
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    is_there && !state.is_some_and(|state| state.starts_with('Z'))
}

#[cfg(test)]
mod tests {
    use std::{
        process::Command,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn a_process_that_runs_is_refused_and_one_that_is_gone_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/down/pid");
        let mut other = Command::new("sleep").arg("60").spawn().unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{}\n", other.id())).unwrap();
        let error = PidFile::claim(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", other.id())), "{error}");
        other.kill().unwrap();
        if cfg!(target_os = "linux") {
            // Nobody has waited for it.
            let deadline = Instant::now() + Duration::from_secs(30);
            while PidFile::check(&path).is_err() {
                assert!(Instant::now() < deadline, "it has ended");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        other.wait().unwrap();
        let claimed = PidFile::claim(&path).unwrap();
        let own = std::process::id().to_string();
        assert_eq!(fs::read_to_string(&path).unwrap(), own);
        drop(claimed);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_number_is_no_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        for text in ["", "none", "-1", "0", "99999999999999"] {
            fs::write(&path, text).unwrap();
            PidFile::check(&path).unwrap();
        }
    }
}
