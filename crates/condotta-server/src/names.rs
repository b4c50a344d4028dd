//! Names that many events share, such as those of workers and families, each kept once: with a copy in every event
//! that waits, the events would not fit in the processor's caches.

use std::{collections::HashSet, sync::Arc};

/// How many are remembered.
const REMEMBERED: usize = 10_000;
/// The longest that is remembered, in bytes.
const LONGEST: usize = 500;

/// Names that came before.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashSet<Arc<str>>,
}

impl Names {
    /// A copy of the name that others share.
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if name.len() > LONGEST {
            return name.into();
        }
        if let Some(known) = self.known.get(name) {
            return Arc::clone(known);
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let new: Arc<str> = name.into();
        self.known.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_not_for_ever() {
        let mut names = Names::default();
        let name = names.get("Load");
        assert!(Arc::ptr_eq(&name, &names.get("Load")));
        assert_eq!(&*names.get("Dump"), "Dump");
        for number in 0..=REMEMBERED {
            names.get(&number.to_string());
        }
        assert!(names.known.len() <= REMEMBERED);
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(*names.get(&long), long);
        assert!(!names.known.contains(long.as_str()));
        assert_eq!(names.get("Load"), name);
    }
}
