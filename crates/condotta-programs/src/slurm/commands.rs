//! Slurm's own programs, and what they answer.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use super::SlurmError;

/// What Slurm knows of one job, or of one element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The number of the whole job.
    pub(super) job: String,
    pub(super) index: Option<usize>,
    /// As in `PENDING`.
    pub(super) state: String,
    /// Why it waits, or why it ended.
    pub(super) reason: String,
}

impl Known {
    /// Whether it has come to an end.
    pub(super) fn is_over(&self) -> bool {
        const OVER: [&str; 9] = [
            "BOOT_FAIL",
            "CANCELLED",
            "COMPLETED",
            "DEADLINE",
            "FAILED",
            "NODE_FAIL",
            "OUT_OF_MEMORY",
            "REVOKED",
            "TIMEOUT",
        ];
        OVER.contains(&self.state.as_str())
    }
}

impl Known {
    /// Whether the program ended, be it well or badly, so that there is a code of it.
    pub(super) fn ended_by_itself(&self) -> bool {
        ["COMPLETED", "FAILED"].contains(&self.state.as_str())
    }
}

/// Submits a script. Returns the job's number.
pub(super) fn submit(mut sbatch: Command, program: &str) -> Result<String, SlurmError> {
    let output = run(&mut sbatch, "sbatch")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // `--parsable` prints the number and, with federations, the cluster.
    let job = text.trim().split(';').next().unwrap_or_default();
    if output.status.success() && is_number(job) {
        return Ok(job.to_owned());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(SlurmError::NotTaken {
        program: program.to_owned(),
        reason: reason.trim().to_owned(),
    })
}

/// What is known of these jobs, in one question; `None` if Slurm does not answer now. A job that is
/// over is known for a few minutes only.
pub(super) fn squeue(jobs: &[String]) -> Result<Option<Vec<Known>>, SlurmError> {
    let mut squeue = Command::new("squeue");
    squeue.args(FORMAT).args(["--jobs", &jobs.join(",")]);
    let output = run(&mut squeue, "squeue")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    // The answer where none of the jobs is known any more.
    if !output.status.success() && !complaint.contains("Invalid job id") {
        tracing::debug!(target: "luigi-interface", "squeue: {}", complaint.trim());
        return Ok(None);
    }
    Ok(Some(read_queue(&String::from_utf8_lossy(&output.stdout))))
}

/// A job of this user that has this name, was submitted with this script, and is not over. The same task of
/// another pipeline has the same name, but not the same script.
pub(super) fn find(name: &str, script: &Path) -> Result<Option<String>, SlurmError> {
    let mut squeue = Command::new("squeue");
    squeue.args(["--noheader", "--array", "--me", "--name", name]);
    squeue.args(["--format", "%F|%K|%T|%r|%o"]);
    let output = run(&mut squeue, "squeue")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let script = script.to_string_lossy();
    let of_script = text
        .lines()
        .filter(|line| line.split('|').nth(4) == Some(&*script));
    let alive = of_script
        .flat_map(read_queue)
        .find(|known| !known.is_over());
    Ok(alive.map(|known| known.job))
}

/// Each element on a line of its own: job, index, state, reason.
const FORMAT: [&str; 6] = [
    "--noheader",
    "--array",
    "--states",
    "all",
    "--format",
    "%F|%K|%T|%r",
];

fn read_queue(text: &str) -> Vec<Known> {
    let read = |line: &str| {
        let mut words = line.trim().split('|');
        let (job, index) = (words.next()?, words.next()?);
        Some(Known {
            job: job.to_owned(),
            index: index.parse().ok(),
            state: words.next()?.to_owned(),
            reason: words.next()?.to_owned(),
        })
    };
    text.lines().filter_map(read).collect()
}

/// Ends a job. Whether Slurm heard it.
pub(super) fn cancel(job: &str) -> Result<bool, SlurmError> {
    let mut scancel = Command::new("scancel");
    scancel.args(["--quiet", job]);
    Ok(run(&mut scancel, "scancel")?.status.success())
}

/// What a job took, as people read it. `None` where nobody keeps accounts, or they have not heard of it.
pub(super) fn account(job: &str) -> Option<String> {
    let mut sacct = Command::new("sacct");
    sacct.args(["--noheader", "--parsable2", "--jobs", job]);
    sacct.args(["--format", "JobID,State,Elapsed,MaxRSS"]);
    let output = run(&mut sacct, "sacct").ok()?;
    if !output.status.success() {
        return None;
    }
    read_account(&String::from_utf8_lossy(&output.stdout))
}

fn read_account(text: &str) -> Option<String> {
    let mut elapsed = None;
    let mut memory = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split('|').collect();
        let [_, _, time, most] = words[..] else {
            continue;
        };
        elapsed = elapsed.max(Some(time.to_owned()));
        memory = memory.max(kilobytes(most));
    }
    let memory = match memory {
        Some(kilobytes) => format!("{kilobytes} KB of memory"),
        None => "memory unknown".to_owned(),
    };
    Some(format!("{} elapsed, {memory}", elapsed?))
}

/// `MaxRSS` as in `1234K`, `1.50M` or, in bytes, `0`.
fn kilobytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "K" => 1.0,
        "M" => 1024.0,
        "G" => 1024.0 * 1024.0,
        "" => 1.0 / 1024.0,
        _ => return None,
    };
    Some((number * factor).round() as u64)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn run(command: &mut Command, name: &'static str) -> Result<Output, SlurmError> {
    let output = command.stdin(Stdio::null()).output();
    output.map_err(|source| SlurmError::NoSlurm {
        command: name,
        source,
    })
}

/// A length of time as `sbatch` takes it: whole minutes would be too coarse.
pub(super) fn time_limit(limit: Duration) -> String {
    let seconds = limit.as_secs().max(1);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!(
        "{days}-{:02}:{:02}:{:02}",
        rest / 3600,
        rest % 3600 / 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_of_the_queue_is_read() {
        let known = read_queue("12|N/A|RUNNING|None\n13|4|PENDING|JobArrayTaskLimit\nrubbish\n");
        assert_eq!(known.len(), 2);
        assert_eq!((known[0].job.as_str(), known[0].index), ("12", None));
        assert_eq!(
            (known[1].index, known[1].reason.as_str()),
            (Some(4), "JobArrayTaskLimit")
        );
        assert!(!known.iter().any(Known::is_over));
        assert!(read_queue("1|N/A|TIMEOUT|TimeLimit")[0].is_over());
    }

    #[test]
    fn accounts_are_read() {
        let text = "12|COMPLETED|00:00:05|\n12.batch|COMPLETED|00:00:05|1536K\n12.0|COMPLETED|00:00:04|2M\n";
        assert_eq!(
            read_account(text).unwrap(),
            "00:00:05 elapsed, 2048 KB of memory"
        );
        assert_eq!(
            read_account("12|PENDING|00:00:00|\n").unwrap(),
            "00:00:00 elapsed, memory unknown"
        );
        assert_eq!(read_account(""), None);
    }

    #[test]
    fn limits_are_days_and_time() {
        assert_eq!(time_limit(Duration::from_secs(90_061)), "1-01:01:01");
        assert_eq!(time_limit(Duration::from_millis(1)), "0-00:00:01");
    }
}
