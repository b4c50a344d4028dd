//! How many files the process may open, and thus how many connections it can keep.

use std::fs;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors that are left for the stored state, logs and whatever else has to be opened.
const RESERVE: usize = 64;

/// The places for connections: `most`, or as many as descriptors allow once the limit is raised as far as
/// the process may.
pub(super) fn places(most: usize) -> usize {
    let most = most.clamp(1, tokio::sync::Semaphore::MAX_PERMITS.min(1 << 20));
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return most;
    };
    let wanted = (most + RESERVE + open_now()) as u64;
    let limit = if soft < wanted && soft < hard {
        let raised = wanted.min(hard);
        match setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
            Ok(()) => raised,
            Err(_) => soft,
        }
    } else {
        soft
    };
    let free = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(open_now());
    let places = most.min(free.saturating_sub(RESERVE).max(8));
    if places < most {
        tracing::warn!(
            "{places} connections at once instead of {most}: the process may open {limit} files (`ulimit -n`)"
        );
    }
    places
}

/// How many descriptors are in use.
fn open_now() -> usize {
    let listed = fs::read_dir("/proc/self/fd").or_else(|_| fs::read_dir("/dev/fd"));
    listed.map_or(16, Iterator::count)
}
