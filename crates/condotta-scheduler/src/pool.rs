//! Values that many tasks share, each kept once and counted: needs, names of resources, policies.
//!
//! A value goes when its last user lets go of it, so that what people send does not pile up. Knows
//! nothing of what the values mean.

use alloc::{collections::BTreeSet, vec::Vec};
use core::{
    borrow::Borrow,
    hash::{BuildHasher as _, Hash},
};

use hashbrown::HashTable;

/// Below this many places none are given back.
const KEEP: usize = 64;

fn hash_of<Q: Hash + ?Sized>(value: &Q) -> u64 {
    foldhash::fast::FixedState::with_seed(0x5eed).hash_one(value)
}

/// Shared values, with data of type `D` about each.
pub(crate) struct Pool<T, D = ()> {
    entries: Vec<Option<Entry<T, D>>>,
    /// Places without an entry, of which the lowest is used first.
    free: BTreeSet<u32>,
    table: HashTable<u32>,
}

struct Entry<T, D> {
    value: T,
    users: usize,
    data: D,
}

impl<T: Hash + Eq, D: Default> Pool<T, D> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: BTreeSet::new(),
            table: HashTable::new(),
        }
    }

    /// The key of `value`, which has one more user now, and whether the value is new.
    pub(crate) fn acquire<Q>(&mut self, value: &Q, make: impl FnOnce() -> T) -> (u32, bool)
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(key) = self.find(value) {
            self.retain(key);
            return (key, false);
        }
        let entry = Entry {
            value: make(),
            users: 1,
            data: D::default(),
        };
        let key = match self.free.pop_first() {
            Some(key) => {
                self.entries[key as usize] = Some(entry);
                key
            }
            None => {
                self.entries.push(Some(entry));
                u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 shared values")
            }
        };
        let entries = &self.entries;
        self.table.insert_unique(hash_of(value), key, |&key| {
            let entry = entries[key as usize].as_ref();
            hash_of(&entry.expect("the table names what is there").value)
        });
        (key, true)
    }

    /// The key of `value`, if somebody uses it.
    pub(crate) fn find<Q>(&self, value: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let found = self.table.find(hash_of(value), |&key| {
            let known: &Q = self.entry(key).value.borrow();
            known == value
        });
        found.copied()
    }

    /// One more user of a value.
    pub(crate) fn retain(&mut self, key: u32) {
        self.entry_mut(key).users += 1;
    }

    /// One user less; the value, if that was the last.
    pub(crate) fn release(&mut self, key: u32) -> Option<T> {
        let entry = self.entry_mut(key);
        entry.users -= 1;
        if entry.users > 0 {
            return None;
        }
        let entry = self.entries[key as usize].take().expect("it had a user");
        let hash = hash_of(&entry.value);
        if let Ok(found) = self.table.find_entry(hash, |&other| other == key) {
            found.remove();
        }
        self.free.insert(key);
        self.shrink();
        Some(entry.value)
    }

    /// Gives memory back after many values went.
    fn shrink(&mut self) {
        while self.entries.last().is_some_and(Option::is_none) {
            self.entries.pop();
            self.free.pop_last();
        }
        let room = self.entries.capacity();
        if room > KEEP && self.entries.len() < room / 4 {
            self.entries.shrink_to(KEEP.max(2 * self.entries.len()));
        }
        let room = self.table.capacity();
        if room > KEEP && self.table.len() < room / 8 {
            let entries = &self.entries;
            self.table
                .shrink_to(KEEP.max(2 * self.table.len()), |&key| {
                    let entry = entries[key as usize].as_ref();
                    hash_of(&entry.expect("the table names what is there").value)
                });
        }
    }

    pub(crate) fn value(&self, key: u32) -> &T {
        &self.entry(key).value
    }

    pub(crate) fn data(&self, key: u32) -> &D {
        &self.entry(key).data
    }

    pub(crate) fn data_mut(&mut self, key: u32) -> &mut D {
        &mut self.entry_mut(key).data
    }

    /// The keys in use with the numbers of their users, lowest key first.
    pub(crate) fn users(&self) -> impl Iterator<Item = (u32, usize)> {
        (0..)
            .zip(&self.entries)
            .filter_map(|(key, entry)| Some((key, entry.as_ref()?.users)))
    }

    fn entry(&self, key: u32) -> &Entry<T, D> {
        let entry = self.entries[key as usize].as_ref();
        entry.expect("a key has users as long as it is used")
    }

    fn entry_mut(&mut self, key: u32) -> &mut Entry<T, D> {
        let entry = self.entries[key as usize].as_mut();
        entry.expect("a key has users as long as it is used")
    }
}

#[cfg(test)]
mod tests {
    use alloc::{boxed::Box, string::ToString as _};

    use super::*;

    fn acquire(pool: &mut Pool<Box<str>>, text: &str) -> u32 {
        pool.acquire(text, || text.into()).0
    }

    #[test]
    fn a_value_stays_as_long_as_it_has_users() {
        let mut pool = Pool::new();
        let key = acquire(&mut pool, "a");
        assert_eq!(acquire(&mut pool, "a"), key);
        assert_eq!(pool.release(key), None);
        assert_eq!(&**pool.value(key), "a");
        assert_eq!(pool.release(key).as_deref(), Some("a"));
        assert_eq!(pool.find("a"), None);
    }

    #[test]
    fn places_are_used_again_and_memory_returns() {
        let mut pool = Pool::new();
        let keys: Vec<u32> = (0..10_000)
            .map(|at| acquire(&mut pool, &at.to_string()))
            .collect();
        for key in keys.into_iter().skip(1) {
            pool.release(key);
        }
        assert_eq!(acquire(&mut pool, "new"), 1);
        assert!(
            pool.entries.capacity() <= 2 * KEEP,
            "{}",
            pool.entries.capacity()
        );
        assert!(
            pool.table.capacity() <= 4 * KEEP,
            "{}",
            pool.table.capacity()
        );
        assert_eq!(&**pool.value(0), "0");
    }
}
