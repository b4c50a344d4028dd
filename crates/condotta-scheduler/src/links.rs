//! The slots of the tasks that depend on a task: mostly few, sometimes a million.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::task::Slot;

/// A set of slots that is mostly small and sometimes huge.
#[derive(Debug)]
pub(crate) enum Links {
    Few(Vec<Slot>),
    Many(BTreeSet<Slot>),
}

impl Default for Links {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Links {
    const FEW: usize = 16;

    /// The caller knows that `slot` is not in.
    pub(crate) fn insert(&mut self, slot: Slot) {
        match self {
            Self::Few(slots) if slots.len() < Self::FEW => slots.push(slot),
            Self::Few(slots) => {
                let mut many: BTreeSet<Slot> = slots.drain(..).collect();
                many.insert(slot);
                *self = Self::Many(many);
            }
            Self::Many(slots) => {
                slots.insert(slot);
            }
        }
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        match self {
            Self::Few(slots) => {
                if let Some(index) = slots.iter().position(|&other| other == slot) {
                    slots.remove(index);
                }
            }
            Self::Many(slots) => {
                slots.remove(&slot);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(slots) => slots.len(),
            Self::Many(slots) => slots.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn any(&self, test: impl FnMut(Slot) -> bool) -> bool {
        match self {
            Self::Few(slots) => slots.iter().copied().any(test),
            Self::Many(slots) => slots.iter().copied().any(test),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Slot> {
        let (few, many) = match self {
            Self::Few(slots) => (Some(slots), None),
            Self::Many(slots) => (None, Some(slots)),
        };
        let few = few.into_iter().flatten();
        few.chain(many.into_iter().flatten()).copied()
    }

    pub(crate) fn to_vec(&self) -> Vec<Slot> {
        match self {
            Self::Few(slots) => slots.clone(),
            Self::Many(slots) => slots.iter().copied().collect(),
        }
    }
}
