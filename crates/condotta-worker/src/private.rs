//! Hides what a task's private parameters hold from what leaves the worker: what its run prints, says and
//! fails with. Where the task itself is shown, its hidden parameters are hidden, too: viewers may not see them,
//! but they may read logs and errors. The worker's own terminal and files show what a run prints as it is, as
//! with Luigi.

use std::{borrow::Cow, collections::BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use condotta_scheduler::Visibility;

use crate::{Runnable, panic::guard};

/// What stands in place of a private value.
pub(crate) const HIDDEN: &str = "***";
/// What is shorter may be a part of any word, and is hidden only as `name=value`.
const SHORT: usize = 4;
/// What follows a value where a task is shown as `Family(name=value, …)`, or a flag on a command line.
const ENDS: [&str; 7] = [",", ")", " ", "\n", "\"", "'", "]"];
/// No secrets, and in many a line.
const EVERYWHERE: [&str; 6] = ["True", "False", "None", "true", "false", "null"];

/// The values of a task's private parameters, and its name if that shows hidden ones.
#[derive(Clone, Debug, Default)]
pub struct Private {
    finder: Option<Finder>,
}

#[derive(Clone)]
struct Finder {
    automaton: AhoCorasick,
    patterns: Vec<String>,
    /// What each of them becomes.
    shown: Vec<String>,
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} private texts", self.patterns.len())
    }
}

impl Private {
    /// Those of a task.
    pub fn of(task: &dyn Runnable) -> Self {
        // What fails in the task's own code is dealt with where it is asked for its parameters.
        let params = guard(|| task.params()).unwrap_or_default();
        let (mut private, mut hidden) = (Vec::new(), Vec::new());
        for param in params {
            match param.visibility {
                Visibility::Private => private.push((param.name, param.value)),
                Visibility::Hidden => hidden.push((param.name, param.value)),
                Visibility::Public => {}
            }
        }
        let name = if hidden.is_empty() {
            String::new()
        } else {
            guard(|| task.display_name()).unwrap_or_default()
        };
        Self::with_name(private, &name, &hidden)
    }

    /// These parameters and their texts. A text that is a list or an object in JSON hides the texts in it, too.
    pub fn new(params: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::from_pairs(pairs_of_all(params))
    }

    /// These private parameters, and these hidden ones where the task is shown as `name`.
    pub fn with_name(
        params: impl IntoIterator<Item = (String, String)>,
        name: &str,
        hidden: &[(String, String)],
    ) -> Self {
        let mut pairs = pairs_of_all(params);
        let shown = hidden.iter().fold(name.to_owned(), |shown, param| {
            without_hidden(&shown, param)
        });
        if shown != name {
            let shown = Self::from_pairs(pairs.clone()).hide(&shown).into_owned();
            pairs.insert((name.to_owned(), shown));
        }
        Self::from_pairs(pairs)
    }

    fn from_pairs(pairs: BTreeSet<(String, String)>) -> Self {
        if pairs.is_empty() {
            return Self::default();
        }
        let (patterns, shown): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns);
        // Only texts of gigabytes are too many for it.
        let finder = automaton.ok().map(|automaton| Finder {
            automaton,
            patterns,
            shown,
        });
        Self { finder }
    }

    /// The text without what is private.
    #[must_use]
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.finder {
            Some(finder) if finder.automaton.is_match(text) => {
                Cow::Owned(finder.automaton.replace_all(text, &finder.shown))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// Takes the next part of a longer text, and returns what can be shown of it. What may be the beginning of
    /// a private text is kept in `held`, and looked at together with the next part.
    pub(crate) fn hide_part<'a>(&self, held: &mut Vec<u8>, part: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(finder) = &self.finder else {
            return Cow::Borrowed(part);
        };
        if held.is_empty() && !finder.automaton.is_match(part) && finder.begins(part) == part.len()
        {
            return Cow::Borrowed(part);
        }
        held.extend_from_slice(part);
        let text = std::mem::take(held);
        let end = finder.begins(&text);
        let (shown, taken) = finder.replaced(&text, end);
        held.extend_from_slice(&text[taken..]);
        Cow::Owned(shown)
    }

    /// Nothing follows: what was kept is shown.
    pub(crate) fn hide_rest(&self, held: &mut Vec<u8>) -> Vec<u8> {
        let text = std::mem::take(held);
        match &self.finder {
            Some(finder) => finder.replaced(&text, text.len()).0,
            None => text,
        }
    }
}

impl Finder {
    /// Where the text's end begins that may be the beginning of a private text; the text's length if none may.
    fn begins(&self, text: &[u8]) -> usize {
        let longest = |pattern: &String| {
            let most = text.len().min(pattern.len() - 1);
            (1..=most)
                .rev()
                .find(|length| text.ends_with(&pattern.as_bytes()[..*length]))
        };
        let kept = self.patterns.iter().filter_map(longest).max();
        text.len() - kept.unwrap_or(0)
    }

    /// The text up to about `end` without what is private, and how much of it that is: what is private is taken
    /// whole.
    fn replaced(&self, text: &[u8], end: usize) -> (Vec<u8>, usize) {
        let mut shown = Vec::with_capacity(end);
        let mut taken = 0;
        for found in self.automaton.find_iter(text) {
            if found.start() >= end {
                break;
            }
            shown.extend_from_slice(&text[taken..found.start()]);
            shown.extend_from_slice(self.shown[found.pattern()].as_bytes());
            taken = found.end();
        }
        let rest = end.max(taken);
        shown.extend_from_slice(&text[taken..rest]);
        (shown, rest)
    }
}

/// What is looked for because of these parameters, with what stands in its place.
fn pairs_of_all(params: impl IntoIterator<Item = (String, String)>) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for (name, value) in params {
        let mut texts = vec![value];
        if texts[0].starts_with(['[', '{'])
            && let Ok(parsed) = serde_json::from_str(&texts[0])
        {
            leaves(parsed, &mut texts);
        }
        for text in texts {
            pairs.extend(pairs_of(&name, &text));
        }
    }
    pairs
}

/// The name of a task, `Family(name=value, …)`, without the value of this parameter.
fn without_hidden(task: &str, (name, value): &(String, String)) -> String {
    let mut shown = task.to_owned();
    for (begin, end) in [("(", ","), ("(", ")"), (" ", ","), (" ", ")")] {
        let (found, place) = (
            format!("{begin}{name}={value}{end}"),
            format!("{begin}{name}={HIDDEN}{end}"),
        );
        shown = shown.replace(&found, &place);
    }
    shown
}

/// What is looked for because of a text.
fn pairs_of(name: &str, text: &str) -> Vec<(String, String)> {
    let long = |text: &str| text.len() >= SHORT && !EVERYWHERE.contains(&text);
    if long(text) {
        let lines = text.lines().filter(|line| long(line));
        return lines
            .chain([text])
            .map(|text| (text.to_owned(), HIDDEN.to_owned()))
            .collect();
    }
    if text.is_empty() {
        return Vec::new();
    }
    let pair = |end: &&str| {
        (
            format!("{name}={text}{end}"),
            format!("{name}={HIDDEN}{end}"),
        )
    };
    ENDS.iter().map(pair).collect()
}

/// All texts in a list or an object.
fn leaves(value: serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text),
        serde_json::Value::Array(list) => list.into_iter().for_each(|one| leaves(one, texts)),
        serde_json::Value::Object(map) => {
            map.into_iter().for_each(|(_, one)| leaves(one, texts));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(params: &[(&str, &str)]) -> Private {
        Private::new(
            params
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    /// What is shown of a text that comes in parts.
    fn shown(private: &Private, parts: &[&str]) -> String {
        let mut held = Vec::new();
        let mut shown = Vec::new();
        for part in parts {
            shown.extend_from_slice(&private.hide_part(&mut held, part.as_bytes()));
        }
        shown.extend(private.hide_rest(&mut held));
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_long_value_is_hidden_anywhere_and_a_short_one_where_it_has_its_name() {
        let private = private(&[("token", "hunter22"), ("n", "7"), ("force", "True")]);
        assert_eq!(
            private.hide("Load(day=7, token=hunter22, n=7, force=True) of https://u:hunter22@host"),
            "Load(day=7, token=***, n=***, force=***) of https://u:***@host"
        );
        assert_eq!(private.hide("n=77, True"), "n=77, True");
        assert_eq!(Private::default().hide("n=7"), "n=7");
    }

    #[test]
    fn a_hidden_value_is_hidden_where_the_task_is_shown_and_nowhere_else() {
        let own = |params: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            params.iter().map(own).collect()
        };
        let name = "Load(day=7, to=here, n=7, key=hunter22)";
        let private = own(&[("key", "hunter22")]);
        let texts = Private::with_name(private, name, &own(&[("to", "here"), ("n", "7")]));
        let shown = "Load(day=7, to=***, n=***, key=***)";
        let text = format!("running   {name}\nhere it is: n=7, hunter22, {name}");
        let expected = format!("running   {shown}\nhere it is: n=7, ***, {shown}");
        assert_eq!(texts.hide(&text), expected);
        let (first, rest) = text.split_at(20);
        assert_eq!(super::tests::shown(&texts, &[first, rest]), expected);
        // What has no such value in its name is left alone.
        let texts = Private::with_name([], "Load(day=7)", &own(&[("to", "here")]));
        assert_eq!(texts.hide("Load(day=7) here"), "Load(day=7) here");
    }

    #[test]
    fn each_line_of_a_key_and_each_text_of_a_list_is_hidden() {
        let private = private(&[
            ("key", "BEGIN\nabcdef\nEND"),
            ("all", r#"["first", {"x": "second"}]"#),
        ]);
        assert_eq!(
            private.hide("x abcdef first ('second',)"),
            "x *** *** ('***',)"
        );
    }

    #[test]
    fn a_value_is_found_wherever_it_is_cut() {
        let private = private(&[("token", "abcabd"), ("other", "abcabdef")]);
        let text = "x abcabd y abcabcabd z abcabdef abcab";
        let expected = "x *** y abc*** z *** abcab";
        assert_eq!(shown(&private, &[text]), expected);
        for first in 0..text.len() {
            for second in first..text.len() {
                let parts = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(shown(&private, &parts), expected, "{parts:?}");
            }
        }
    }
}
