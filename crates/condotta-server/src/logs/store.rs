//! All logs: those that are written to, and packs of those that ended.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use condotta_protocol::LogFrame;
use condotta_scheduler::Timestamp;
use tokio::sync::broadcast;

use super::{
    LogsConfig,
    live::{self, Header, LiveLog, Piece, Whole},
    pack::Pack,
    room::Room,
};
use crate::{attempt_id::AttemptId, seldom::Seldom};

/// So many portions a reader may be behind until it has to read from the disk again.
const FEED_PORTIONS: usize = 64;
/// In so many of the newest packs an attempt is looked for of which only the number is known.
const PACKS_SEARCHED: usize = 500;
/// What a piece takes on the disk beside its text, at most.
const PIECE_BYTES: usize = 280;

/// Why output is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The attempt ended too long ago.
    #[error("the attempt ended, and its log is closed")]
    Closed,
    /// There is no room, until older logs were removed.
    #[error(
        "the logs of attempts have reached their size; [logs] total_bytes says how much they may have"
    )]
    Full,
    /// What is left of the disk is for the scheduler's state.
    #[error("the disk of the scheduler has so little room left that it is kept for the journal")]
    Short,
    /// The disk failed.
    #[error("the log cannot be read or written: {0}")]
    Disk(#[from] io::Error),
}

/// What a follower hears.
#[derive(Clone, Debug)]
pub enum Feed {
    /// More was printed.
    Pieces(Arc<Vec<Piece>>),
    /// The attempt ended.
    Ended,
}

/// A log as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whose it is.
    pub header: Header,
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
}

/// The logs under one folder.
#[derive(Debug)]
pub struct LogStore {
    folder: PathBuf,
    live: PathBuf,
    packs: PathBuf,
    pub(super) config: LogsConfig,
    pub(super) room: Room,
    state: Mutex<State>,
    /// Bytes on the disk, as they were counted last.
    total: AtomicU64,
    /// Bytes on the disk that were removed, since they were too old or too many, or it had no room.
    removed: AtomicU64,
    /// How often something was not taken, since there was no room, or the disk failed.
    refused: AtomicU64,
    refusing: Seldom,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<AttemptId, Arc<Entry>>,
    /// Oldest first.
    packs: Vec<Pack>,
    next_pack: u64,
}

/// An attempt that runs or ended a moment ago, or that somebody follows.
#[derive(Debug, Default)]
struct Entry {
    log: Mutex<Writing>,
    feed: OnceLock<broadcast::Sender<Feed>>,
    ended: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
enum Writing {
    #[default]
    NotOpen,
    Open(LiveLog),
    Packed,
}

impl LogStore {
    /// The logs in `folder`, which is made when there is something to keep.
    ///
    /// # Errors
    ///
    /// When the folder is there and cannot be read.
    pub fn open(folder: &Path, config: LogsConfig) -> io::Result<Self> {
        let (live, packs) = (folder.join("live"), folder.join("packs"));
        let found = match Pack::list(&packs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            found => found?,
        };
        if folder.is_dir() {
            // One that was made with another mode hides what is below it from now on.
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        Pack::remove_halves(&packs)?;
        let bytes = found.iter().map(|pack| pack.bytes).sum();
        let next_pack = found.last().map_or(0, |pack| pack.number + 1);
        Ok(Self {
            folder: folder.to_owned(),
            room: Room::of(folder),
            live,
            packs,
            config,
            state: Mutex::new(State {
                entries: HashMap::new(),
                packs: found,
                next_pack,
            }),
            total: AtomicU64::new(bytes),
            removed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            refusing: Seldom::default(),
        })
    }

    /// Adds to the log of an attempt. Pieces that are there already are passed over. Returns the number
    /// of the last piece that is there now. Waits for the disk.
    ///
    /// # Errors
    ///
    /// When it is not taken. Some of it may be there.
    pub fn append(
        &self,
        id: &AttemptId,
        header: &Header,
        frames: Vec<LogFrame>,
    ) -> Result<u64, AppendError> {
        let total = self.config.total_bytes;
        let bytes = frames.iter().map(|frame| frame.text.len() + PIECE_BYTES);
        let bytes = bytes.sum::<usize>() as u64;
        let appended = if self.total.load(Ordering::Relaxed) > total.saturating_add(total / 4) {
            Err(AppendError::Full)
        } else if let Some(_claim) = self.room.claim(bytes) {
            self.append_to(id, header, frames)
        } else {
            Err(AppendError::Short)
        };
        if let Err(error) = &appended {
            self.complain(error);
        }
        appended
    }

    /// Counts what is not taken, and says why, but seldom.
    fn complain(&self, error: &AppendError) {
        let folder = self.folder.display();
        let why = match error {
            AppendError::Closed => return,
            AppendError::Full => format!(
                "their logs have {} bytes, as [logs] total_bytes says, and no more of them can be removed",
                self.config.total_bytes
            ),
            AppendError::Short => format!(
                "the disk of {folder} has so little room left that it is kept for the journal: make room there, \
                 or set [logs] total_bytes lower"
            ),
            AppendError::Disk(error) => format!("the disk fails at the logs in {folder}: {error}"),
        };
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        if self.refusing.is_due() {
            tracing::error!(
                "what attempts print is not taken, since {why}; {refused} times until now"
            );
        }
    }

    fn append_to(
        &self,
        id: &AttemptId,
        header: &Header,
        frames: Vec<LogFrame>,
    ) -> Result<u64, AppendError> {
        let entry = self.entry(id);
        let mut writing = lock(&entry.log);
        if let Writing::NotOpen = *writing {
            if self.pack_of(id)?.is_some() {
                return Err(AppendError::Closed);
            }
            super::make_folder(&self.live)?;
            let most = self.config.attempt_bytes;
            *writing = Writing::Open(LiveLog::open(&self.live, id, header, most)?);
        }
        let Writing::Open(log) = &mut *writing else {
            return Err(AppendError::Closed);
        };
        let added = match log.append(frames) {
            Ok(added) => added,
            Err(error) => {
                // What of it is on the disk is found out when it is opened anew.
                *writing = Writing::NotOpen;
                return Err(error.into());
            }
        };
        let last = log.last();
        if !added.is_empty()
            && let Some(feed) = entry.feed.get()
        {
            let _ = feed.send(Feed::Pieces(Arc::new(added)));
        }
        Ok(last)
    }

    /// The attempt ended: its followers hear of it, and its log will be packed. Never waits.
    pub fn ended(&self, id: &AttemptId) {
        let entry = self.state().entries.get(id).cloned();
        if let Some(entry) = entry {
            lock(&entry.ended).get_or_insert_with(Instant::now);
            if let Some(feed) = entry.feed.get() {
                let _ = feed.send(Feed::Ended);
            }
        }
    }

    /// What will be printed from now on. To be asked for before [`read`](Self::read).
    pub fn follow(&self, id: &AttemptId) -> broadcast::Receiver<Feed> {
        let entry = self.entry(id);
        let feed = entry
            .feed
            .get_or_init(|| broadcast::channel(FEED_PORTIONS).0);
        feed.subscribe()
    }

    /// What is kept of an attempt; `None` if there is nothing. Waits for the disk.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is there is damaged.
    pub fn read(&self, id: &AttemptId) -> io::Result<Option<Stored>> {
        let whole = match self.read_live(id)? {
            Some(whole) => Some(whole),
            None => match self.pack_of(id)? {
                Some(whole) => Some(whole),
                // It may have been packed in between, or not be.
                None => self.read_live(id)?,
            },
        };
        Ok(whole.map(|whole| Stored {
            header: whole.header().unwrap_or_else(|| Header {
                task_id: String::new(),
                attempt: 0,
                worker: String::new(),
            }),
            pieces: whole.pieces(),
        }))
    }

    fn read_live(&self, id: &AttemptId) -> io::Result<Option<Whole>> {
        let entry = self.state().entries.get(id).cloned();
        // Nobody writes meanwhile.
        let _writing = entry.as_ref().map(|entry| lock(&entry.log));
        Whole::read(&self.live, id)
    }

    fn pack_of(&self, id: &AttemptId) -> io::Result<Option<Whole>> {
        let packs = self.state().packs.clone();
        for pack in packs.iter().rev().filter(|pack| pack.may_have(id)) {
            match pack.read(id) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The newest attempt of this number of this task whose log is kept, among those of the last weeks.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn find(&self, task_id: &str, attempt: u64) -> io::Result<Option<AttemptId>> {
        let sample = AttemptId::new(task_id, attempt, Timestamp(0.0));
        let is_it = |id: &AttemptId| {
            let stored = self.read(id)?;
            Ok::<_, io::Error>(stored.is_some_and(|stored| {
                stored.header.task_id == task_id && stored.header.attempt == attempt
            }))
        };
        let mut live: Vec<_> = live::list(&self.live)?.into_keys().collect();
        live.retain(|id| id.may_be_of_same_number(&sample));
        for id in live.into_iter().rev() {
            if is_it(&id)? {
                return Ok(Some(id));
            }
        }
        let packs = self.state().packs.clone();
        for pack in packs.iter().rev().take(PACKS_SEARCHED) {
            for id in pack.ids_like(&sample)?.into_iter().rev() {
                if is_it(&id)? {
                    return Ok(Some(id));
                }
            }
        }
        Ok(None)
    }

    /// Bytes on the disk, as they were counted last.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// How many bytes on the disk were removed, since they were too old or too many, or it had no room.
    #[must_use]
    pub fn removed_bytes(&self) -> u64 {
        self.removed.load(Ordering::Relaxed)
    }

    /// How often something was not taken, since there was no room, or the disk failed.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    // For whoever keeps order.

    /// Where the logs are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The logs that are not packed, with their bytes and since when they are known to have ended.
    pub(super) fn open_logs(&self) -> io::Result<Vec<(AttemptId, u64, Option<Instant>)>> {
        let logs = live::list(&self.live)?;
        let state = self.state();
        let ended = |id: &AttemptId| *lock(&state.entries.get(id)?.ended);
        let known = logs.into_iter().map(|(id, bytes)| {
            let ended = ended(&id);
            (id, bytes, ended)
        });
        Ok(known.collect())
    }

    /// Whether anything is known of an attempt beside what is on the disk.
    pub(super) fn is_known(&self, id: &AttemptId) -> bool {
        self.state().entries.contains_key(id)
    }

    /// Whose log this is.
    pub(super) fn header(&self, id: &AttemptId) -> io::Result<Option<Header>> {
        Ok(self.read_live(id)?.and_then(|whole| whole.header()))
    }

    /// Remembers an attempt that is on the disk.
    pub(super) fn know(&self, id: &AttemptId) {
        self.entry(id);
    }

    /// Packs these logs and removes their files.
    pub(super) fn pack(&self, ids: &[AttemptId], now_secs: u64) -> io::Result<()> {
        let mut logs = BTreeMap::new();
        let entries: Vec<_> = ids.iter().map(|id| (id, self.entry(id))).collect();
        let mut held = Vec::new();
        for (id, entry) in &entries {
            let mut writing = lock(&entry.log);
            *writing = Writing::Packed;
            held.push(writing);
            if let Some(whole) = Whole::read(&self.live, id)? {
                logs.insert(**id, whole);
            }
        }
        let logs: Vec<_> = logs.into_iter().collect();
        if !logs.is_empty() {
            let number = {
                let mut state = self.state();
                state.next_pack += 1;
                state.next_pack - 1
            };
            super::make_folder(&self.packs)?;
            let pack = Pack::write(&self.packs, number, now_secs, &logs)?;
            self.state().packs.push(pack);
        }
        for id in ids {
            live::remove_all(&self.live, id)?;
        }
        drop(held);
        let mut state = self.state();
        ids.iter().for_each(|id| _ = state.entries.remove(id));
        Ok(())
    }

    /// Forgets what nobody writes to nor follows. What is on the disk stays.
    pub(super) fn forget_idle(&self, logs: &[(AttemptId, u64, Option<Instant>)]) {
        let on_disk: std::collections::HashSet<_> = logs.iter().map(|(id, ..)| id).collect();
        self.state().entries.retain(|id, entry| {
            let followed = entry
                .feed
                .get()
                .is_some_and(|feed| feed.receiver_count() > 0);
            followed || on_disk.contains(id) || Arc::strong_count(entry) > 1
        });
    }

    /// Removes the oldest pack. Returns when it was made and how many bytes it had.
    pub(super) fn drop_oldest(&self) -> io::Result<Option<(u64, u64)>> {
        let oldest = {
            let state = self.state();
            state.packs.first().cloned()
        };
        let Some(pack) = oldest else { return Ok(None) };
        match fs::remove_file(&pack.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.state()
            .packs
            .retain(|other| other.number != pack.number);
        self.removed.fetch_add(pack.bytes, Ordering::Relaxed);
        Ok(Some((pack.made_secs, pack.bytes)))
    }

    /// When the oldest pack was made, in seconds since 1970.
    pub(super) fn oldest_secs(&self) -> Option<u64> {
        self.state().packs.first().map(|pack| pack.made_secs)
    }

    /// Counts what is on the disk.
    pub(super) fn count(&self, live: u64) -> u64 {
        let packs: u64 = self.state().packs.iter().map(|pack| pack.bytes).sum();
        self.total.store(packs + live, Ordering::Relaxed);
        packs + live
    }

    fn entry(&self, id: &AttemptId) -> Arc<Entry> {
        self.state().entries.entry(*id).or_default().clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
