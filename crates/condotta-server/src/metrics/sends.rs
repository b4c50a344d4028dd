//! E-mail and webhooks: what was sent, and what was not.

use super::text::{Labels, Text};
use crate::notify::{Notifier, SendFigures};

pub(super) fn write(text: &mut Text, notifier: &Notifier) {
    let mail = notifier.mail_figures();
    let mail: Vec<(Labels<'_>, SendFigures)> = mail.iter().map(|it| (&[][..], *it)).collect();
    write_all(text, "condotta_mails", "e-mails", &mail);
    let hooks = notifier.hooks();
    let labels: Vec<[(&str, &str); 1]> = hooks
        .iter()
        .map(|hook| [("webhook", hook.name())])
        .collect();
    let figures = hooks.iter().map(crate::notify::webhook::Hook::figures);
    let hooks = labels.iter().map(|it| &it[..]).zip(figures);
    let hooks: Vec<(Labels<'_>, SendFigures)> = hooks.collect();
    write_all(text, "condotta_webhooks", "messages of webhooks", &hooks);
    text.single(
        "condotta_notices_dropped_total",
        "counter",
        "things of which nobody was told, since too much happened at once",
        notifier.dropped(),
    );
}

/// One of the figures.
type Figure = fn(&SendFigures) -> u64;

fn write_all(text: &mut Text, name: &str, what: &str, all: &[(Labels<'_>, SendFigures)]) {
    if all.is_empty() {
        return;
    }
    let counters: [(&str, &str, Figure); 4] = [
        ("sent", "that were taken", |it| it.sent),
        (
            "retried",
            "not taken at an attempt, and tried again",
            |it| it.retried,
        ),
        ("failed", "given up", |it| it.failed),
        (
            "dropped",
            "or parts of them left out, since too much waited",
            |it| it.dropped,
        ),
    ];
    for (word, help, value) in counters {
        let name = format!("{name}_{word}_total");
        text.head(&name, "counter", &format!("{what} {help}"));
        for (labels, figures) in all {
            text.sample(&name, labels, value(figures));
        }
    }
    let name = format!("{name}_queued");
    text.head(
        &name,
        "gauge",
        &format!("{what}, or parts of them, that wait"),
    );
    for (labels, figures) in all {
        text.sample(&name, labels, figures.queued);
    }
}
