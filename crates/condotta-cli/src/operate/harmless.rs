//! Makes what tasks and workers say harmless for a terminal: it cannot move the cursor, change colours
//! or titles, or turn the direction of what follows.

/// In one line: control characters and those that turn the direction of text are written as escapes.
pub(crate) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if is_plain(char) {
            out.push(char);
        } else {
            out.extend(char.escape_default());
        }
    }
    out
}

/// The same in as many lines as it has.
pub(crate) fn harmless_lines(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let parts: Vec<String> = line.split('\t').map(harmless).collect();
        parts.join("\t")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_plain(char: char) -> bool {
    let turns = matches!(
        char,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    !char.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for (text, harmless_text) in [
            ("plain ä 😀", "plain ä 😀"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\rb\nc\td", "a\\rb\\nc\\td"),
            ("\u{202e}back", "\\u{202e}back"),
            ("\u{7}\u{8}\u{7f}", "\\u{7}\\u{8}\\u{7f}"),
        ] {
            assert_eq!(harmless(text), harmless_text);
        }
        assert_eq!(harmless_lines("a\tb\r\nc\u{1b}"), "a\tb\nc\\u{1b}");
    }
}
