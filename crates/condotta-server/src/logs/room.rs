//! Leaves room on the disk for the journal: without that the scheduler refuses all requests, and without
//! logs it goes on.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use nix::sys::statvfs::statvfs;

/// So many bytes of the disk stay free, or the tenth of a smaller one.
const RESERVE: u64 = 256 << 20;

/// The room that the disk of a folder has for logs.
#[derive(Debug)]
pub(super) struct Room {
    folder: PathBuf,
    /// Bytes that are being written just now, of which the disk may not know yet.
    claimed: AtomicU64,
    /// The most bytes that had no room since that was asked last.
    refused: AtomicU64,
}

/// So many bytes have room as long as this is there.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            claimed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Room for so many bytes, unless the journal's would be taken for them.
    pub(super) fn claim(&self, bytes: u64) -> Option<Claim<'_>> {
        let others = self.claimed.fetch_add(bytes, Ordering::Relaxed);
        let claim = Claim { room: self, bytes };
        if self.is_short(others.saturating_add(bytes)) {
            self.refused.fetch_max(bytes, Ordering::Relaxed);
            return None;
        }
        Some(claim)
    }

    /// The most bytes that had no room since this was asked last.
    pub(super) fn take_refused(&self) -> u64 {
        self.refused.swap(0, Ordering::Relaxed)
    }

    /// Whether so many bytes would take the journal's room. A disk that does not say is taken to have it.
    pub(super) fn is_short(&self, bytes: u64) -> bool {
        // The folder is made with the first log, beside the state.
        let places = [Some(&*self.folder), self.folder.parent()];
        let mut disks = places.into_iter().flatten().filter_map(disk);
        disks
            .next()
            .is_some_and(|[free, all]| free < reserve(all).saturating_add(bytes))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.room.claimed.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Whether so many bytes fit on the disk of a folder, and as many again.
pub(super) fn has(folder: &Path, bytes: usize) -> bool {
    let wanted = 2 * bytes as u64;
    disk(folder).is_none_or(|[free, _]| free >= wanted)
}

/// The bytes that are free, and all.
fn disk(folder: &Path) -> Option<[u64; 2]> {
    let disk = statvfs(folder).ok()?;
    let blocks = [disk.blocks_available(), disk.blocks()];
    Some(blocks.map(|blocks| blocks.saturating_mul(disk.fragment_size())))
}

fn reserve(disk_bytes: u64) -> u64 {
    RESERVE.min(disk_bytes / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_disks_keep_less_free_and_what_is_no_disk_has_room() {
        assert_eq!(reserve(24 << 20), (24 << 20) / 10);
        assert_eq!(reserve(1 << 40), 256 << 20);
        assert!(!Room::of(Path::new("/nowhere/logs")).is_short(u64::MAX));
        assert!(has(Path::new("/nowhere"), usize::MAX / 2));
        let folder = tempfile::tempdir().unwrap();
        assert!(has(folder.path(), 1000) && !has(folder.path(), usize::MAX / 2));
    }

    #[test]
    fn what_is_to_be_written_takes_room_before_the_disk_knows_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::of(&folder.path().join("logs"));
        let [free, all] = disk(folder.path()).unwrap();
        let part = (free - reserve(all)) * 2 / 3;
        let first = room.claim(part).expect("two thirds of what is free");
        assert!(room.claim(part).is_none(), "two thirds more");
        assert_eq!((room.take_refused(), room.take_refused()), (part, 0));
        drop(first);
        drop(room.claim(part).expect("the first is done with"));
        assert!(room.claim(free).is_none(), "the journal's part");
        assert_eq!(room.claimed.load(Ordering::Relaxed), 0);
    }
}
