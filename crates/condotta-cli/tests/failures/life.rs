//! What a running process takes: processor, memory. From `/proc`, as Linux has it.

use std::{fs, time::Duration};

/// How long the process has had a processor so far.
pub(crate) fn processor_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let (_, numbers) = stat.rsplit_once(')').unwrap();
    let mut fields = numbers.split_whitespace().skip(11);
    let mut ticks = || fields.next().unwrap().parse::<u64>().unwrap();
    // Linux counts these in hundredths of a second.
    Duration::from_millis((ticks() + ticks()) * 10)
}

/// The most memory that the process has had so far, in bytes.
pub(crate) fn most_memory(id: u32) -> u64 {
    memory(id, "VmHWM:")
}

/// The memory that the process has now, in bytes.
pub(crate) fn memory_now(id: u32) -> u64 {
    memory(id, "VmRSS:")
}

fn memory(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}
