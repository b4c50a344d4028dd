//! Leaves room on the disk for the journal: without that the scheduler refuses all requests, and without
//! logs it goes on.

use std::path::Path;

use nix::sys::statvfs::statvfs;

/// So many bytes of the disk stay free, or the tenth of a smaller one.
const RESERVE: u64 = 256 << 20;

/// Whether the disk of a folder has too little room for logs. One that does not say is taken to have it.
pub(super) fn is_short(folder: &Path) -> bool {
    // The folder is made with the first log, beside the state.
    let places = [Some(folder), folder.parent()];
    let mut disks = places.into_iter().flatten().filter_map(disk);
    disks.next().is_some_and(|[free, all]| free < reserve(all))
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
        assert!(!is_short(Path::new("/nowhere/logs")));
        assert!(has(Path::new("/nowhere"), usize::MAX / 2));
        let folder = tempfile::tempdir().unwrap();
        assert!(has(folder.path(), 1000) && !has(folder.path(), usize::MAX / 2));
    }
}
