//! Names that are nearly the same as one that is not known: somebody may have meant them.

use strsim::generic_levenshtein;

/// The most that are told.
const MOST: usize = 5;
/// Longer names are not compared, nor more of them, since the scheduler waits meanwhile.
const LONGEST: usize = 60;
const MOST_COMPARED: usize = 2000;

/// Those of the known names of which at most a third is other letters, the nearest first.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = letters(name);
    let mut found: Vec<(usize, &str)> = known
        .take(MOST_COMPARED)
        .filter_map(|candidate| {
            let other = letters(candidate);
            let longest = wanted.len().max(other.len());
            let edits = (longest <= LONGEST).then(|| generic_levenshtein(&wanted, &other))?;
            (edits <= (longest / 3).max(1) && edits < longest).then_some((edits, candidate))
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .take(MOST)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// Case makes no difference.
fn letters(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_by_a_few_letters_is_near() {
        let known = ["database", "data_bases", "gpu", "GPUS", "x"];
        let near = |name| near(name, known.into_iter());
        assert_eq!(near("databse"), ["database", "data_bases"]);
        assert_eq!(near("gpus"), ["GPUS", "gpu"]);
        assert!(near("y").is_empty() && near("licence").is_empty());
    }
}
