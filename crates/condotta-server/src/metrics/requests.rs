//! Requests by method and status, and how long they took.

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use condotta_protocol::{AWAIT_WORK, extensions, methods};

use super::{
    histogram::{Histogram, QUICK},
    text::{Labels, Text},
};

/// The statuses that are counted apart; all others are counted together.
const STATUSES: [u16; 16] = [
    200, 201, 202, 204, 302, 304, 400, 401, 403, 404, 405, 409, 413, 429, 500, 503,
];
/// Everything else that is asked for.
const OTHERS: [&str; 4] = ["v1", "metrics", "page", "other"];

/// The counts, for a fixed list of methods, so that nobody can make them many.
#[derive(Debug)]
pub(crate) struct Requests {
    by_method: Vec<Method>,
    places: BTreeMap<&'static str, usize>,
}

#[derive(Debug)]
struct Method {
    name: &'static str,
    statuses: [AtomicU64; STATUSES.len() + 1],
    /// Made by the first request.
    took: OnceLock<Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        let names = methods().chain(extensions()).chain([AWAIT_WORK]);
        let by_method: Vec<Method> = names.chain(OTHERS).map(Method::new).collect();
        let places = by_method.iter().enumerate();
        Self {
            places: places.map(|(place, method)| (method.name, place)).collect(),
            by_method,
        }
    }
}

impl Requests {
    /// Where requests for this path are counted.
    pub(crate) fn place(&self, path: &str) -> usize {
        let place = self.places.get(name(path)).or(self.places.get("other"));
        *place.expect("there is a place for all others")
    }

    /// A request was answered with this status.
    pub(crate) fn count(&self, place: usize, status: u16, took: Duration) {
        let method = &self.by_method[place];
        let status = STATUSES.iter().position(|known| *known == status);
        method.statuses[status.unwrap_or(STATUSES.len())].fetch_add(1, Ordering::Relaxed);
        let histogram = method.took.get_or_init(|| Histogram::new(QUICK));
        histogram.observe(took.as_secs_f64());
    }

    pub(super) fn write(&self, text: &mut Text) {
        let name = "condotta_requests_total";
        text.head(
            name,
            "counter",
            "requests by method (Luigi's, or v1, metrics, page, other) and HTTP status",
        );
        for method in &self.by_method {
            for (place, count) in method.statuses.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                let status = STATUSES.get(place).map(ToString::to_string);
                let status = status.as_deref().unwrap_or("other");
                if count > 0 {
                    let labels = [("method", method.name), ("status", status)];
                    text.sample(name, &labels, count);
                }
            }
        }
        let labels: Vec<[(&str, &str); 1]> = self
            .by_method
            .iter()
            .map(|method| [("method", method.name)])
            .collect();
        let asked = self.by_method.iter().zip(&labels);
        let asked: Vec<(Labels<'_>, &Histogram)> = asked
            .filter_map(|(method, labels)| Some((&labels[..], method.took.get()?)))
            .collect();
        text.histograms(
            "condotta_request_seconds",
            "seconds until a request was answered, by method; get_work is how long it takes to hand out work",
            &asked,
        );
    }
}

impl Method {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            statuses: Default::default(),
            took: OnceLock::new(),
        }
    }
}

/// What the path asks for.
fn name(path: &str) -> &str {
    match path.strip_prefix("/api/") {
        Some(rest) if rest == "v1" || rest.starts_with("v1/") => "v1",
        Some(method) => method,
        None if path == "/metrics" => "metrics",
        None => "page",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_few_whatever_is_asked_for() {
        let requests = Requests::default();
        let quick = Duration::from_millis(2);
        for path in ["/api/get_work", "/api/v1/tasks/A", "/metrics", "/", "/x"] {
            requests.count(requests.place(path), 200, quick);
        }
        for number in 0..1000 {
            let place = requests.place(&format!("/api/{number}"));
            requests.count(place, 404, quick);
            requests.count(requests.place("/api/ping"), 600 + number, quick);
        }
        let mut text = Text::default();
        requests.write(&mut text);
        let lines = text.0.lines();
        let counts: Vec<&str> = lines
            .filter(|it| it.starts_with("condotta_requests_total"))
            .collect();
        assert_eq!(
            counts,
            [
                r#"condotta_requests_total{method="get_work",status="200"} 1"#,
                r#"condotta_requests_total{method="ping",status="other"} 1000"#,
                r#"condotta_requests_total{method="v1",status="200"} 1"#,
                r#"condotta_requests_total{method="metrics",status="200"} 1"#,
                r#"condotta_requests_total{method="page",status="200"} 2"#,
                r#"condotta_requests_total{method="other",status="404"} 1000"#,
            ]
        );
        let bucket = r#"condotta_request_seconds_bucket{method="get_work",le="0.0025"} 1"#;
        assert!(text.0.contains(bucket), "{}", text.0);
    }
}
