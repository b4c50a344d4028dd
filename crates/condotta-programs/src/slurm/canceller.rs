//! Cancels a job when the process of its run gets SIGTERM, and not when that is killed: then another
//! worker goes on with the job.
//!
//! It is a shell in the process group of the run, which is ended as a whole. It goes when its parent has gone.

use std::{
    io,
    process::{Child, Command, Stdio},
};

const WAIT: &str = "trap '' INT HUP
trap 'scancel --quiet \"$1\"; exit' TERM
while kill -0 $PPID; do
    sleep 1 &
    wait $!
done";

/// Dropped, it does nothing any more.
pub(super) struct Canceller(Child);

impl Canceller {
    pub(super) fn start(job: &str) -> io::Result<Self> {
        let child = Command::new("/bin/sh")
            .args(["-c", WAIT, "condotta-cancel", job])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Canceller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
