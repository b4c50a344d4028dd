//! What the process takes of the machine, under the names that all Prometheus clients use. Linux only.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use super::text::Text;

pub(super) fn write(text: &mut Text) {
    let Some(process) = Process::read() else {
        return;
    };
    text.single(
        "process_cpu_seconds_total",
        "counter",
        "processor time used, in seconds",
        process.cpu_seconds,
    );
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "memory in use",
            process.resident,
        ),
        (
            "process_virtual_memory_bytes",
            "memory asked for",
            process.virtual_bytes,
        ),
        (
            "process_open_fds",
            "open files and connections",
            process.open_files,
        ),
        ("process_max_fds", "the most open files", process.max_files),
    ] {
        text.single(name, "gauge", help, value);
    }
    text.single(
        "process_start_time_seconds",
        "gauge",
        "when the process began, in seconds since 1970",
        process.began,
    );
}

struct Process {
    cpu_seconds: f64,
    began: f64,
    resident: u64,
    virtual_bytes: u64,
    open_files: u64,
    max_files: u64,
}

impl Process {
    fn read() -> Option<Self> {
        use nix::{
            sys::resource::{Resource, UsageWho, getrlimit, getrusage},
            unistd::{SysconfVar, sysconf},
        };
        let ticks = sysconf(SysconfVar::CLK_TCK).ok()??;
        let page = u64::try_from(sysconf(SysconfVar::PAGE_SIZE).ok()??).ok()?;
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let times = [usage.user_time(), usage.system_time()];
        #[expect(clippy::cast_precision_loss, reason = "seconds of a process are few")]
        let seconds = times.map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
        let memory = fs::read_to_string("/proc/self/statm").ok()?;
        let mut pages = memory.split(' ').map(|it| it.trim().parse::<u64>().ok());
        let virtual_bytes = pages.next()?? * page;
        let resident = pages.next()?? * page;
        let open_files = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        Some(Self {
            cpu_seconds: seconds.iter().sum(),
            began: began(ticks)?,
            resident,
            virtual_bytes,
            // Not the one that counts them.
            open_files: open_files.saturating_sub(1),
            max_files: getrlimit(Resource::RLIMIT_NOFILE).ok()?.0,
        })
    }
}

/// The kernel counts from its own start, in ticks.
fn began(ticks: i64) -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name is in parentheses and may hold anything. The 22nd field is the 20th after it.
    let after_name = stat.rsplit_once(')')?.1;
    let start: f64 = after_name.split_whitespace().nth(19)?.parse().ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split(' ').next()?.parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a hundred, usually")]
    Some(now.as_secs_f64() - uptime + start / ticks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_something_and_began_a_moment_ago() {
        let process = Process::read().expect("this is Linux");
        assert!(process.resident > 1 << 20 && process.virtual_bytes >= process.resident);
        assert!(process.open_files >= 3 && process.max_files >= process.open_files);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        let age = now.as_secs_f64() - process.began;
        assert!((-2.0..3600.0).contains(&age), "{age}");
    }
}
