//! Which known names an unknown one may have been meant to be.

/// Luigi's bound: names that differ in more places are not offered.
const MOST_EDITS: usize = 5;

/// The known names that are near, nearest first.
pub(crate) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= MOST_EDITS && *edits < candidate.chars().count())
        .collect();
    near.sort();
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The one nearest name, when it differs in less than half of its letters.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let best = near(name, known).into_iter().next()?;
    (edit_distance(name, best) * 2 < best.chars().count()).then_some(best)
}

/// How many letters to insert, remove or replace to get from one to the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, edits) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("Wordcount", "WordCount", 1),
        ] {
            assert_eq!(edit_distance(from, to), edits, "{from} {to}");
            assert_eq!(edit_distance(to, from), edits, "{to} {from}");
        }
    }

    #[test]
    fn near_names_come_nearest_first_and_short_ones_are_not_all_near() {
        assert_eq!(
            near("WordCont", ["Words", "WordCount", "Unrelated", "Ab"]),
            ["WordCount", "Words"]
        );
        assert_eq!(nearest("bar", ["foo", "baz"]), Some("baz"));
        assert_eq!(nearest("bar", ["foo", "qux"]), None);
    }
}
