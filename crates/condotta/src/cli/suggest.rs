//! Which known names an unknown one may have been meant to be.

/// The nearest known names, in the order they come in: usually one, or none.
///
/// A third of a name may be wrong. Letters of the other case are the same, and a namespace may be
/// missing.
pub(crate) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<&str> = Vec::new();
    let mut least = usize::MAX;
    for candidate in known {
        let without_namespace = candidate.rsplit('.').next().unwrap_or(candidate);
        for form in [candidate, without_namespace] {
            let edits = edit_distance(&name.to_lowercase(), &form.to_lowercase());
            let length = form.chars().count();
            if edits >= length || edits > (length / 3).max(1) || edits > least {
                continue;
            }
            if edits < least {
                near.clear();
                least = edits;
            }
            if near.last() != Some(&candidate) {
                near.push(candidate);
            }
        }
    }
    near
}

/// The one nearest name.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(name, known).into_iter().next()
}

/// How many letters to insert, remove, replace or swap with their neighbour to get from one to the
/// other.
fn edit_distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, letter) in from.iter().enumerate() {
        let above = &rows[i];
        let mut row = vec![i + 1];
        for (j, other) in to.iter().enumerate() {
            let replaced = above[j] + usize::from(letter != other);
            let mut edits = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i - 1] == *other && *letter == to[j - 1] {
                edits = edits.min(rows[i - 1][j - 1] + 1);
            }
            row.push(edits);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
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
            ("dtae", "date", 1),
        ] {
            assert_eq!(edit_distance(from, to), edits, "{from} {to}");
            assert_eq!(edit_distance(to, from), edits, "{to} {from}");
        }
    }

    #[test]
    fn only_the_nearest_names_are_offered_and_far_ones_never() {
        for (name, known, expected) in [
            ("Clena", vec!["Clean", "Flaky"], vec!["Clean"]),
            (
                "WordCont",
                vec!["Words", "WordCount", "Ab"],
                vec!["WordCount"],
            ),
            ("bar", vec!["foo", "baz", "bay"], vec!["baz", "bay"]),
            ("bar", vec!["foo", "qux"], vec![]),
            ("BETA", vec!["deep.Beta", "Alpha"], vec!["deep.Beta"]),
            ("x", vec!["y"], vec![]),
        ] {
            assert_eq!(near(name, known.iter().copied()), expected, "{name}");
            assert_eq!(nearest(name, known), expected.first().copied(), "{name}");
        }
    }
}
