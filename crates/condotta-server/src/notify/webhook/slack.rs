//! A message as Slack and those who speak like it show it: `{"text": …}`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::body::{Event, Message};

/// How many lines of an error are shown.
const ERROR_LINES: usize = 3;

pub(super) fn message(message: &Message) -> Value {
    let mut lines: Vec<String> = message.events.iter().map(line).collect();
    let more: u64 = message.more.values().sum();
    if more > 0 {
        let kinds = message.more.iter();
        let kinds: Vec<String> = kinds
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        lines.push(format!("… and {more} more ({})", kinds.join(", ")));
    }
    json!({"text": lines.join("\n")})
}

fn line(event: &Event) -> String {
    let mut line = format!("*{}*: {}", event.event, escaped(&event.message));
    if let Some(url) = &event.url {
        let _ = write!(line, " (<{}|details>)", escaped(url));
    }
    if let Some(error) = &event.error {
        let lines: Vec<&str> = error.trim_end().lines().collect();
        let last = lines[lines.len().saturating_sub(ERROR_LINES)..].join("\n");
        // Three ticks end the block.
        let _ = write!(line, "\n```{}```", escaped(&last).replace("```", "'''"));
    }
    line
}

/// Slack's three characters.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{super::body::tests::notice, *};
    use crate::notify::NoticeKind;

    #[test]
    fn people_read_what_happened_and_how_much_more() {
        let event = Event::new(&notice("a\nb\nc\n<d> ```\n"), Some("http://h:1"));
        let more = [(NoticeKind::Failed, 290), (NoticeKind::Disabled, 10)].into();
        let message = message(&Message::new("ops", None, vec![event], more));
        assert_eq!(
            message["text"],
            "*failed*: Load(day=&lt;1&gt;) failed (<http://h:1/static/visualiser/index.html#tab=graph&amp;taskId=Load_%3C1%3E|details>)\n\
             ```b\nc\n&lt;d&gt; '''```\n… and 300 more (10 disabled, 290 failed)"
        );
    }
}
