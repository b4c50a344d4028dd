//! Hides texts that nobody may see, wherever a program's arguments or output are shown.

use crate::Attempt;

/// What stands in place of a secret.
const HIDDEN: &str = "***";
/// What is shorter may be a part of any word, and is hidden only where it stands alone.
const SHORT: usize = 4;

/// Texts to hide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Those of a run.
    pub(crate) fn of(attempt: &dyn Attempt) -> Self {
        let mut secrets = Self::default();
        for secret in attempt.secrets() {
            secrets.add(&secret);
        }
        secrets
    }

    /// Hides this text, and each of its lines.
    pub(crate) fn add(&mut self, secret: &str) {
        let lines = secret.lines().filter(|_| secret.contains('\n'));
        let lines = lines.filter(|line| line.len() >= SHORT);
        self.0.extend(lines.map(str::to_owned));
        if !secret.is_empty() {
            self.0.push(secret.to_owned());
        }
        // One may be a part of another, which then is to be hidden as a whole.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// An argument as it may be shown.
    pub(crate) fn hide(&self, text: &str) -> String {
        if self.0.iter().any(|secret| secret == text) {
            return HIDDEN.to_owned();
        }
        let long = self.0.iter().filter(|secret| secret.len() >= SHORT);
        long.fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }

    /// The same for output. `None` where nothing is to hide.
    pub(crate) fn hide_bytes(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut hidden: Option<Vec<u8>> = None;
        for secret in self.0.iter().filter(|secret| secret.len() >= SHORT) {
            let now = hidden.as_deref().unwrap_or(text);
            if let Some(changed) = replaced(now, secret.as_bytes()) {
                hidden = Some(changed);
            }
        }
        hidden
    }
}

fn replaced(text: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let find = |from: usize| {
        let places = text[from..].windows(secret.len());
        places
            .into_iter()
            .position(|part| part == secret)
            .map(|at| from + at)
    };
    let mut at = find(0)?;
    let (mut kept, mut from) = (Vec::with_capacity(text.len()), 0);
    loop {
        kept.extend_from_slice(&text[from..at]);
        kept.extend_from_slice(HIDDEN.as_bytes());
        from = at + secret.len();
        match find(from) {
            Some(next) => at = next,
            None => {
                kept.extend_from_slice(&text[from..]);
                return Some(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_alone_and_within_an_argument_or_output() {
        let mut secrets = Secrets::default();
        secrets.add("hunter22");
        secrets.add("hunter");
        secrets.add("7");
        assert_eq!(secrets.hide("--password=hunter22"), "--password=***");
        assert_eq!(secrets.hide("7"), "***");
        assert_eq!(secrets.hide("2017"), "2017");
        let hidden = secrets.hide_bytes(b"hunter22 and \xff hunter\n");
        assert_eq!(hidden.as_deref(), Some(&b"*** and \xff ***\n"[..]));
        assert_eq!(secrets.hide_bytes(b"nothing"), None);
    }

    #[test]
    fn each_line_of_a_key_is_hidden() {
        let mut secrets = Secrets::default();
        secrets.add("BEGIN\nabcdef\nEND");
        assert_eq!(
            secrets.hide_bytes(b"x abcdef\n").as_deref(),
            Some(&b"x ***\n"[..])
        );
    }
}
