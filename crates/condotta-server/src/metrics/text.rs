//! Prometheus's text format.
//!
//! It is written here, and not by a library, since Luigi's own metrics have to look as Luigi's library
//! (prometheus_client for Python) writes them, which those for Rust do not: gauges for when a counter
//! began, floating-point counts, this content type. What is left is a dozen lines.

use std::fmt::{Display, Write as _};

use super::histogram::Histogram;

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Text(pub(super) String);

/// Labels of a sample: names, which are Prometheus's own, and values, which may be anything.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Text {
    /// Begins a metric.
    pub(super) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A value of the metric that was begun.
    pub(super) fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        let labels = braced(labels);
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A metric of one value.
    pub(super) fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A metric of one histogram, or of several with different labels.
    pub(super) fn histograms(
        &mut self,
        name: &str,
        help: &str,
        histograms: &[(Labels<'_>, &Histogram)],
    ) {
        self.head(name, "histogram", help);
        for (labels, histogram) in histograms {
            let mut total = 0;
            for (bound, count) in histogram.cumulative() {
                total = count;
                let bound = if bound.is_finite() {
                    bound.to_string()
                } else {
                    "+Inf".to_owned()
                };
                let mut labels = labels.to_vec();
                labels.push(("le", &bound));
                self.sample(&format!("{name}_bucket"), &labels, count);
            }
            self.sample(&format!("{name}_sum"), labels, histogram.sum());
            self.sample(&format!("{name}_count"), labels, total);
        }
    }
}

/// `{a="x",b="y"}`; nothing without labels.
pub(super) fn braced(labels: Labels<'_>) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut text = String::from("{");
    for (index, (name, value)) in labels.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{name}=\"");
        escape(value, &mut text);
        text.push('"');
    }
    text.push('}');
    text
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            plain => text.push(plain),
        }
    }
}
