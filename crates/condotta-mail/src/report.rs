//! What a mail about one task says: Luigi's subjects and bodies.

use std::fmt::Write as _;

use crate::{EmailSettings, Format, Mail};

/// What a worker says of a task that went wrong.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The first line.
    pub headline: &'a str,
    /// The task's family.
    pub family: &'a str,
    /// Its parameters, of which everybody may see the values.
    pub params: &'a [(String, String)],
    /// The command line of the worker.
    pub command: &'a str,
    /// The error text.
    pub error: &'a str,
}

impl Report<'_> {
    /// The body of the mail. An error text that is too long is cut.
    #[must_use]
    pub fn body(&self, email: &EmailSettings) -> String {
        let mut error: String = self
            .error
            .chars()
            .take(email.traceback_max_length)
            .collect();
        if error.len() < self.error.len() {
            error.push_str("...Traceback exceeds max length and has been truncated.");
        }
        if email.format == Format::Html {
            self.html(&error)
        } else {
            self.plain(&error)
        }
    }

    fn plain(&self, error: &str) -> String {
        let names = self.params.iter().map(|(name, _)| name.chars().count());
        let width = names.max().unwrap_or_default();
        let rows = self.params.iter();
        let rows: Vec<String> = rows
            .map(|(name, value)| format!("  {name:width$}: {value}"))
            .collect();
        format!(
            "{}\n\nName: {}\n\nParameters:\n{}\n\nCommand line:\n  {}\n\n{error}\n",
            self.headline,
            self.family,
            rows.join("\n"),
            self.command,
        )
    }

    fn html(&self, error: &str) -> String {
        let mut rows = String::new();
        for (name, value) in self.params {
            let (name, value) = (escape(name), escape(value));
            let _ = writeln!(rows, "<tr><th>{name}</th><td>{value}</td></tr>");
        }
        let error = if error.is_empty() {
            String::new()
        } else {
            format!("<pre>{}</pre>", escape(error))
        };
        format!(
            "\n<html>\n<body>\n<h2>{}</h2>\n\n\
             <table style=\"border-top: 1px solid black; border-bottom: 1px solid black\">\n\
             <thead>\n<tr><th>name</th><td>{}</td></tr>\n</thead>\n<tbody>\n{rows}</tbody>\n</table>\n\n\
             <h2>Command line</h2>\n<pre>\n{}\n</pre>\n\n<h2>Traceback</h2>\n{error}\n</body>\n</html>\n",
            escape(self.headline),
            escape(self.family),
            escape(self.command),
        )
    }
}

/// The scheduler's mail about a task that it disabled; `None` if nobody gets it.
///
/// It failed so often within so many seconds, and stays disabled for so many.
#[must_use]
pub fn disabled(
    email: &EmailSettings,
    task_id: &str,
    failures: u64,
    window: f64,
    persist: f64,
) -> Option<Mail> {
    let subject = format!("Luigi Scheduler: DISABLED {task_id} due to excessive failures");
    let mut body = format!(
        "{task_id} failed {failures} times in the last {window} seconds, so it is being disabled for {persist} seconds"
    );
    if email.format == Format::Html {
        body = escape(&body);
    }
    Mail::new(email, &subject, body, [&email.receiver])
}

/// The text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(params: &[(String, String)]) -> Report<'_> {
        Report {
            headline: "A task failed when running. Most likely run() raised an exception.",
            family: "Hello",
            params,
            command: "pipeline Hello",
            error: "it <broke>",
        }
    }

    #[test]
    fn the_body_is_luigis() {
        let params = [("day", "1"), ("long_name", "x")];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut email = EmailSettings::on_host("vm");
        assert_eq!(
            report(&params).body(&email),
            "A task failed when running. Most likely run() raised an exception.\n\nName: Hello\n\n\
             Parameters:\n  day      : 1\n  long_name: x\n\nCommand line:\n  pipeline Hello\n\nit <broke>\n"
        );
        email.format = Format::Html;
        let html = report(&params).body(&email);
        assert!(html.contains("<tr><th>day</th><td>1</td></tr>"), "{html}");
        assert!(html.contains("<pre>it &lt;broke&gt;</pre>"), "{html}");
    }

    #[test]
    fn long_errors_are_cut() {
        let mut email = EmailSettings::on_host("vm");
        email.traceback_max_length = 2;
        let body = report(&[]).body(&email);
        let end = "\n\nit...Traceback exceeds max length and has been truncated.\n";
        assert!(body.ends_with(end), "{body}");
    }

    #[test]
    fn a_disabled_task_is_told_to_the_receiver() {
        let mut email = EmailSettings::on_host("vm");
        assert_eq!(disabled(&email, "A_1", 3, 3600.0, 86400.0), None);
        email.receiver = "ops@example.com".to_owned();
        let mail = disabled(&email, "A_1", 3, 3600.0, 0.5).expect("somebody gets it");
        assert_eq!(
            mail.subject,
            "Luigi Scheduler: DISABLED A_1 due to excessive failures"
        );
        assert_eq!(
            mail.body,
            "A_1 failed 3 times in the last 3600 seconds, so it is being disabled for 0.5 seconds"
        );
    }
}
