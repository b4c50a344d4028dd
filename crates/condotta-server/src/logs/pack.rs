//! Logs of attempts that ended, many in one file, compressed together.
//!
//! A pack is written whole and never changed. Its name says which attempts may be in it, its end has the
//! list of those that are. Neighbours share a compressed block, since small logs look alike.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use super::{live::Whole, room};
use crate::attempt_id::AttemptId;

const MAGIC: &[u8; 8] = b"CLOGPK1\n";
/// A block is closed when it has so many bytes.
const BLOCK_BYTES: usize = 256 << 10;
/// At the end: where the list is, how long it is, and the magic once more.
const FOOT_BYTES: u64 = 24;
/// The name of a pack until it is whole. There is one at a time, so what a crash left is written over.
const TEMPORARY: &str = "next.tmp";
/// How the names of packs end that are not whole, also of those that earlier versions began.
const HALF: &str = "tmp";
const BROKEN: &str = "the pack of logs is damaged";

/// A pack, as its name and its size tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pack {
    pub(crate) path: PathBuf,
    /// Packs are numbered in the order in which they were made.
    pub(crate) number: u64,
    pub(crate) first: AttemptId,
    pub(crate) last: AttemptId,
    pub(crate) bytes: u64,
    /// When it was made, in seconds since 1970.
    pub(crate) made_secs: u64,
}

/// Where a log is in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    block: u64,
    block_bytes: u64,
    offset: usize,
    bytes: usize,
}

impl Pack {
    /// The packs in a folder, oldest first. Files of other names are passed over.
    pub(crate) fn list(folder: &Path) -> io::Result<Vec<Self>> {
        let mut packs = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Some(pack) = Self::named(&entry.path(), entry.metadata()?.len()) {
                packs.push(pack);
            }
        }
        packs.sort_by_key(|pack| pack.number);
        Ok(packs)
    }

    /// Removes what was begun and never became a pack, while nobody writes.
    pub(crate) fn remove_halves(folder: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|it| it == HALF) && entry.file_type()?.is_file() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn named(path: &Path, bytes: u64) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".pack")?;
        let mut parts = name.split('_');
        let pack = Self {
            number: parts.next()?.parse().ok()?,
            made_secs: parts.next()?.parse().ok()?,
            first: parts.next()?.parse().ok()?,
            last: parts.next()?.parse().ok()?,
            path: path.to_owned(),
            bytes,
        };
        parts.next().is_none().then_some(pack)
    }

    /// Writes a pack with these logs, of which there is one at least, in the order of their ids.
    pub(crate) fn write(
        folder: &Path,
        number: u64,
        made_secs: u64,
        logs: &[(AttemptId, Whole)],
    ) -> io::Result<Self> {
        let (first, last) = match logs {
            [] => return Err(io::Error::other("a pack needs a log")),
            [first, ..] => (&first.0, &logs[logs.len() - 1].0),
        };
        let name = format!("{number:08}_{made_secs}_{first}_{last}.pack");
        let path = folder.join(&name);
        let temporary = folder.join(TEMPORARY);
        let bytes = encode(logs)?;
        if !room::has(folder, bytes.len()) {
            // Half a pack would take the room that the journal needs.
            let text = format!("the disk has no room for {} bytes", bytes.len());
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        let written = super::create(&temporary).and_then(|mut file| {
            file.write_all(&bytes)?;
            // The logs themselves are removed after this.
            file.sync_data()?;
            fs::rename(&temporary, &path)
        });
        if let Err(error) = written {
            // On a full disk it would take the room that others need.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        Ok(Self {
            path,
            number,
            first: *first,
            last: *last,
            bytes: bytes.len() as u64,
            made_secs,
        })
    }

    /// Whether an attempt may be in it.
    pub(crate) fn may_have(&self, id: &AttemptId) -> bool {
        (&self.first..=&self.last).contains(&id)
    }

    /// The log of an attempt, if it is in here.
    pub(crate) fn read(&self, id: &AttemptId) -> io::Result<Option<Whole>> {
        let mut file = File::open(&self.path)?;
        let places = places(&mut file)?;
        let found = places.binary_search_by(|(place, _)| place.cmp(id));
        let Ok(index) = found else { return Ok(None) };
        read_place(&mut file, places[index].1).map(Some)
    }

    /// The ids of those that may be of the same number of the same task as this one.
    pub(crate) fn ids_like(&self, sample: &AttemptId) -> io::Result<Vec<AttemptId>> {
        let places = places(&mut File::open(&self.path)?)?;
        let ids = places.into_iter().map(|(id, _)| id);
        Ok(ids.filter(|id| id.may_be_of_same_number(sample)).collect())
    }
}

fn encode(logs: &[(AttemptId, Whole)]) -> io::Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    let mut list = String::new();
    let mut block = Vec::new();
    let mut in_block: Vec<(&AttemptId, usize, usize)> = Vec::new();
    for (index, (id, whole)) in logs.iter().enumerate() {
        let offset = block.len();
        for file in &whole.files {
            let length = u32::try_from(file.len()).map_err(io::Error::other)?;
            block.extend(length.to_le_bytes());
            block.extend(file);
        }
        in_block.push((id, offset, block.len() - offset));
        if block.len() < BLOCK_BYTES && index + 1 < logs.len() {
            continue;
        }
        let begin = out.len();
        let mut encoder = GzEncoder::new(&mut out, Compression::default());
        encoder.write_all(&block)?;
        encoder.finish()?;
        let length = out.len() - begin;
        for (id, offset, bytes) in in_block.drain(..) {
            list += &format!("{id} {begin} {length} {offset} {bytes}\n");
        }
        block.clear();
    }
    let begin = out.len();
    let mut encoder = GzEncoder::new(&mut out, Compression::default());
    encoder.write_all(list.as_bytes())?;
    encoder.finish()?;
    let length = out.len() - begin;
    out.extend((begin as u64).to_le_bytes());
    out.extend((length as u64).to_le_bytes());
    out.extend(MAGIC);
    Ok(out)
}

/// The list of what is in a pack, in the order of ids.
fn places(file: &mut File) -> io::Result<Vec<(AttemptId, Place)>> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, BROKEN);
    let length = file.seek(SeekFrom::End(0))?;
    let foot = length.checked_sub(FOOT_BYTES).ok_or_else(broken)?;
    file.seek(SeekFrom::Start(foot))?;
    let mut bytes = [0; FOOT_BYTES as usize];
    file.read_exact(&mut bytes)?;
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let (begin, length) = (number(0), number(8));
    if &bytes[16..] != MAGIC || begin.checked_add(length) != Some(foot) {
        return Err(broken());
    }
    let list = String::from_utf8(unpack(file, begin, length)?).map_err(|_| broken())?;
    let read = |line: &str| {
        let mut parts = line.split(' ');
        let id = parts.next()?.parse().ok()?;
        let place = Place {
            block: parts.next()?.parse().ok()?,
            block_bytes: parts.next()?.parse().ok()?,
            offset: parts.next()?.parse().ok()?,
            bytes: parts.next()?.parse().ok()?,
        };
        Some((id, place))
    };
    let places = list.lines().map(|line| read(line).ok_or_else(broken));
    places.collect()
}

fn read_place(file: &mut File, place: Place) -> io::Result<Whole> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, BROKEN);
    let block = unpack(file, place.block, place.block_bytes)?;
    let end = place.offset.checked_add(place.bytes).ok_or_else(broken)?;
    let mut rest = block.get(place.offset..end).ok_or_else(broken)?;
    let mut files = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| broken())?;
        let (one, after) = after.split_at_checked(length).ok_or_else(broken)?;
        files.push(one.to_vec());
        rest = after;
    }
    Ok(Whole { files })
}

fn unpack(file: &mut File, begin: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    GzDecoder::new(file.take(length)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use condotta_scheduler::Timestamp;

    use super::*;

    fn id(number: u32) -> AttemptId {
        AttemptId::new("task", 1, Timestamp(1e9 + f64::from(number)))
    }

    /// What a worker that says little says of one task.
    fn small(number: u32) -> Whole {
        let line = format!(
            "{{\"version\":1,\"header\":{{\"task_id\":\"Load_2026_{number}_99914b932b\",\"attempt\":1,\"worker\":\"w\"}}}}\n\
             INFO: [pid 4711] Worker Worker(salt=8371, workers=4) running   Load(number={number})\n\
             INFO: [pid 4711] Worker Worker(salt=8371, workers=4) done      Load(number={number})\n"
        );
        Whole {
            files: vec![line.into_bytes()],
        }
    }

    #[test]
    fn each_log_is_found_in_its_pack_and_small_ones_take_little() {
        let folder = tempfile::tempdir().unwrap();
        let logs: Vec<_> = (0..4000)
            .map(|number| (id(number), small(number)))
            .collect();
        let pack = Pack::write(folder.path(), 7, 12, &logs).unwrap();
        let listed = Pack::list(folder.path()).unwrap();
        assert_eq!(listed, std::slice::from_ref(&pack));
        for number in [0, 1, 1999, 3999] {
            assert_eq!(pack.read(&id(number)).unwrap(), Some(small(number)));
        }
        assert_eq!(pack.read(&id(4000)).unwrap(), None);
        assert!(!pack.may_have(&id(4000)));
        // A year of a hundred thousand a day is 36.5 million: at 60 bytes, 2.2 GB.
        assert!(pack.bytes / 4000 < 60, "{}", pack.bytes / 4000);
    }

    #[test]
    fn nothing_is_left_of_a_pack_that_could_not_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let logs = [(id(1), small(1)), (id(2), small(2))];
        let name = format!("{:08}_{}_{}_{}.pack", 1, 1, id(1), id(2));
        let in_the_way = folder.path().join(name);
        fs::create_dir(&in_the_way).unwrap();
        assert!(Pack::write(folder.path(), 1, 1, &logs).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::remove_dir(in_the_way).unwrap();
        // By a crash.
        fs::write(folder.path().join(TEMPORARY), "half").unwrap();
        Pack::write(folder.path(), 1, 1, &logs).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn halves_that_earlier_runs_left_are_removed_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        Pack::remove_halves(&folder.path().join("none")).unwrap();
        let pack = Pack::write(folder.path(), 1, 1, &[(id(1), small(1))]).unwrap();
        let other = folder.path().join("notes");
        for path in [
            folder.path().join(TEMPORARY),
            pack.path.with_extension("pack.tmp"),
            other.clone(),
        ] {
            fs::write(path, "half").unwrap();
        }
        Pack::remove_halves(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(pack.path.exists() && other.exists());
    }

    #[test]
    fn a_damaged_pack_is_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let logs = [(id(1), small(1)), (id(2), small(2))];
        let pack = Pack::write(folder.path(), 1, 1, &logs).unwrap();
        let bytes = fs::read(&pack.path).unwrap();
        for cut in [0, 1, 20, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&pack.path, &bytes[..cut]).unwrap();
            assert!(pack.read(&id(1)).is_err(), "{cut}");
        }
        for at in 0..bytes.len() {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 0xff;
            fs::write(&pack.path, &spoilt).unwrap();
            let _ = pack.read(&id(1));
        }
    }
}
