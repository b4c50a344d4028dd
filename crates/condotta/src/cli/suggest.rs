//! Which known names an unknown one may have been meant to be.

use strsim::osa_distance;

/// The nearest known names, in the order they come in: usually one, or none.
///
/// A third of a name may be wrong; neighbours that are swapped are one mistake. Letters of the other case are the same,
/// and a namespace may be missing.
pub(crate) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<&str> = Vec::new();
    let mut least = usize::MAX;
    for candidate in known {
        let without_namespace = candidate.rsplit('.').next().unwrap_or(candidate);
        for form in [candidate, without_namespace] {
            let edits = osa_distance(&name.to_lowercase(), &form.to_lowercase());
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

#[cfg(test)]
mod tests {
    use super::*;

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
