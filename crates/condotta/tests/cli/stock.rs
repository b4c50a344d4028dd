//! The flags of stock Luigi 3.8.1, as its `--help-all` lists them without user modules.

use std::collections::BTreeSet;

use crate::program::Place;

/// The list leaves out the tasks that Luigi's library itself brings along (`TestNotificationsTask`
/// and the range tools): they are tasks, not settings.
const STOCK: &str = include_str!("stock_flags.txt");

#[test]
fn there_is_every_flag_of_the_core_and_of_the_sections() {
    let help = Place::new().run("--help-all").succeeded().stdout;
    let ours: BTreeSet<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .collect();
    let stock: BTreeSet<&str> = STOCK.lines().collect();
    assert!(stock.len() > 70, "{}", stock.len());
    let missing: Vec<&&str> = stock.difference(&ours).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
