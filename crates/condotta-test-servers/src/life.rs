//! What a running process takes: processor, memory. From `/proc`, as Linux has it.

#![expect(
    clippy::unwrap_used,
    reason = "whatever goes wrong fails a test, by panicking"
)]

use std::{fs, process, time::Duration};

/// How long the process has had a processor so far.
#[must_use]
pub fn processor_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    // The name of the program may hold spaces; it ends with the last parenthesis.
    let (_, numbers) = stat.rsplit_once(')').unwrap();
    let mut fields = numbers.split_whitespace().skip(11);
    let mut ticks = || fields.next().unwrap().parse::<u64>().unwrap();
    // Linux counts these in hundredths of a second.
    Duration::from_millis((ticks() + ticks()) * 10)
}

/// The most memory that the process has had so far, in bytes.
#[must_use]
pub fn most_memory(id: u32) -> u64 {
    memory(id, "VmHWM:")
}

/// The memory that the process has now, in bytes.
#[must_use]
pub fn memory_now(id: u32) -> u64 {
    memory(id, "VmRSS:")
}

fn memory(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}

/// The most memory that this process had had at a time.
#[derive(Debug)]
pub struct Peak(u64);

impl Peak {
    /// So far.
    #[must_use]
    pub fn now() -> Self {
        Self(most_memory(process::id()))
    }

    /// By how many KiB it is higher now. The kernel counts in batches for each processor, so what it says of the same
    /// peak may be a little less later.
    #[must_use]
    pub fn growth_kib(&self) -> u64 {
        most_memory(process::id()).saturating_sub(self.0) >> 10
    }
}
