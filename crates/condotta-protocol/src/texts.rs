//! Pieces of JSON text, kept until they are put together in their final order.
//!
//! They stand in blocks, so that adding one never moves those that are there.

use std::{collections::HashSet, ops::Range};

use condotta_scheduler::ShownTask;

use crate::{encode_task::TaskJson, json_writer::write_json};

/// A block is full when it has this many bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// Pieces of text.
#[derive(Default)]
pub(crate) struct Texts {
    blocks: Vec<Vec<u8>>,
}

/// Where a piece stands.
#[derive(Clone)]
pub(crate) struct Piece {
    block: usize,
    range: Range<usize>,
}

impl Texts {
    /// Keeps what `write` appends.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Piece {
        let has_room = |block: &Vec<u8>| block.len() < BLOCK_BYTES;
        if !self.blocks.last().is_some_and(has_room) {
            // The last piece of a block may go beyond.
            self.blocks
                .push(Vec::with_capacity(BLOCK_BYTES + (BLOCK_BYTES >> 3)));
        }
        let block = self.blocks.last_mut().expect("there is one with room");
        let start = block.len();
        write(block);
        let range = start..block.len();
        Piece {
            block: self.blocks.len() - 1,
            range,
        }
    }

    pub(crate) fn get(&self, piece: &Piece) -> &[u8] {
        &self.blocks[piece.block][piece.range.clone()]
    }
}

/// Entries `"key": value`, each with its key and the group that it belongs to.
pub(crate) struct Entries<G> {
    texts: Texts,
    list: Vec<Entry<G>>,
}

/// One of them.
pub(crate) struct Entry<G> {
    group: G,
    key: Box<str>,
    piece: Piece,
}

impl<G> Default for Entries<G> {
    fn default() -> Self {
        Self {
            texts: Texts::default(),
            list: Vec::new(),
        }
    }
}

impl<G: Ord> Entries<G> {
    /// An entry whose value `write` appends.
    pub(crate) fn add(&mut self, group: G, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let piece = self.texts.add(|out| {
            write_json(out, key);
            out.extend(b": ");
            write(out);
        });
        self.list.push(Entry {
            group,
            key: key.into(),
            piece,
        });
    }

    /// The entry of a task in a list.
    pub(crate) fn add_task(&mut self, group: G, task: ShownTask<'_>) {
        self.add(group, task.id(), |out| {
            write_json(out, &TaskJson::listed(task))
        });
    }

    /// Sorts by group and key. Of equal keys in a group, the last entry stays.
    pub(crate) fn sort(&mut self) {
        fn place<G>(entry: &Entry<G>) -> (&G, &str) {
            (&entry.group, &entry.key)
        }
        self.list.reverse();
        self.list
            .sort_by(|one, other| place(one).cmp(&place(other)));
        self.list
            .dedup_by(|later, first| place(later) == place(first));
    }

    /// Of equal keys the last entry stays, whatever its group.
    pub(crate) fn keep_last(&mut self) {
        let mut seen = HashSet::new();
        let mut last = vec![false; self.list.len()];
        for (index, entry) in self.list.iter().enumerate().rev() {
            last[index] = seen.insert(&*entry.key);
        }
        drop(seen);
        let mut last = last.into_iter();
        self.list.retain(|_| last.next() == Some(true));
    }

    /// The groups, once they are sorted.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&G, &[Entry<G>])> {
        let groups = self.list.chunk_by(|one, other| one.group == other.group);
        groups.map(|entries| (&entries[0].group, entries))
    }

    /// Writes all entries as one object.
    pub(crate) fn write_all(&self, out: &mut Vec<u8>) {
        self.write(out, &self.list);
    }

    /// Writes these entries as one object.
    pub(crate) fn write(&self, out: &mut Vec<u8>, entries: &[Entry<G>]) {
        out.push(b'{');
        for (index, entry) in entries.iter().enumerate() {
            separate(out, index);
            out.extend_from_slice(self.texts.get(&entry.piece));
        }
        out.push(b'}');
    }
}

/// What stands before the next item of a list or object.
pub(crate) fn separate(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.extend(b", ");
    }
}
