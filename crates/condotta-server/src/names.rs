//! Names that many events have in common, such as those of workers and families: each is kept once, since what
//! waits for readers or to be written soon is more than the processor's caches hold.

use std::{collections::HashSet, sync::Arc};

/// How many are remembered.
const REMEMBERED: usize = 10_000;

/// Names that came before.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashSet<Arc<str>>,
}

impl Names {
    /// The one copy of a name.
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
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
        assert_eq!(names.get("Load"), name);
    }
}
