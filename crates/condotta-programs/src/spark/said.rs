//! What Spark says while an application runs: where its page is, its id, and how far its stages are.

use std::time::{Duration, Instant};

use crate::Attempt;

/// So often a run's progress is told at most.
const OFTEN: Duration = Duration::from_secs(1);

/// Listens to the lines of `spark-submit` and of the driver.
pub(super) struct Said<'a> {
    attempt: &'a dyn Attempt,
    host: String,
    url: Option<String>,
    app: Option<String>,
    told: Option<Instant>,
}

impl<'a> Said<'a> {
    pub(super) fn new(attempt: &'a dyn Attempt) -> Self {
        Self {
            attempt,
            host: "localhost".to_owned(),
            url: None,
            app: None,
            told: None,
        }
    }

    pub(super) fn hear(&mut self, line: &str) {
        match page_in(line) {
            Some(Page::Url(url)) => self.set_url(url.to_owned()),
            Some(Page::Host(host)) => self.host = named(host),
            Some(Page::Port(port)) => self.set_url(format!("http://{}:{port}", self.host)),
            None => {}
        }
        if let Some(app) = app_in(line)
            && self.app.as_deref() != Some(app)
        {
            self.app = Some(app.to_owned());
            self.attempt
                .set_status_message(&format!("Spark application {app}"));
        }
        let stages = stages_in(line);
        if stages.is_empty() || self.told.is_some_and(|told| told.elapsed() < OFTEN) {
            return;
        }
        self.told = Some(Instant::now());
        let (done, all) = stages.iter().fold((0, 0), |(done, all), stage| {
            (done + stage.done, all + stage.all)
        });
        let named: Vec<String> = stages.iter().map(Stage::text).collect();
        let app = self
            .app
            .iter()
            .map(|app| format!("Spark application {app}: "));
        let app: String = app.collect();
        self.attempt.set_status_message(&(app + &named.join(", ")));
        if all > 0 {
            let percentage = f64::from(done) * 100.0 / f64::from(all);
            self.attempt.set_progress_percentage(percentage);
        }
    }
}

impl Said<'_> {
    fn set_url(&mut self, url: String) {
        if self.url.as_ref() != Some(&url) {
            self.attempt.set_tracking_url(&url);
            self.url = Some(url);
        }
    }
}

/// A stage that is worked on.
#[derive(Debug, PartialEq, Eq)]
struct Stage {
    number: u32,
    done: u32,
    all: u32,
}

impl Stage {
    fn text(&self) -> String {
        format!("stage {}: {} of {} tasks", self.number, self.done, self.all)
    }
}

/// What a line says of the application's page.
#[derive(Debug, PartialEq, Eq)]
enum Page<'l> {
    /// Its whole address: the page that YARN has of it, or the driver's in Spark before 4.
    Url(&'l str),
    /// On which address the driver is about to listen.
    Host(&'l str),
    /// On which port it does; another one, where the first was taken.
    Port(&'l str),
}

fn page_in(line: &str) -> Option<Page<'_>> {
    let word = |rest: &'_ str| rest.split_whitespace().next().map(str::len);
    if let Some((_, rest)) = line.split_once("tracking URL: ") {
        let url = &rest[..word(rest)?];
        return url.starts_with("http").then_some(Page::Url(url));
    }
    if !line.contains("SparkUI") {
        return None;
    }
    if let Some((_, rest)) = line.split_once(" started at http") {
        let start = line.len() - rest.len() - "http".len();
        return Some(Page::Url(
            &line[start..line.len() - rest.len() + word(rest)?],
        ));
    }
    if let Some((_, rest)) = line.split_once("Start Jetty ") {
        let (host, _) = rest[..word(rest)?].rsplit_once(':')?;
        return Some(Page::Host(host));
    }
    let (_, rest) = line.split_once("service 'SparkUI' on port ")?;
    Some(Page::Port(rest.trim().trim_end_matches('.')))
}

/// A driver that listens on all addresses is found by the machine's name.
fn named(host: &str) -> String {
    let any = ["0.0.0.0", "[::]", "::"].contains(&host);
    let name = || nix::unistd::gethostname().ok()?.into_string().ok();
    match any.then(name).flatten() {
        Some(name) => name,
        None => host.to_owned(),
    }
}

/// The id that the cluster gave the application.
fn app_in(line: &str) -> Option<&str> {
    let before = ["app ID ", "Submitted application "];
    let rest = before.iter().find_map(|words| line.split_once(words))?.1;
    let id = rest.split_whitespace().next()?;
    let is_id = ["app-", "application_", "local-"]
        .iter()
        .any(|start| id.starts_with(start));
    is_id.then_some(id)
}

/// The stages of a progress bar: `[Stage 3:=====>   (5 + 2) / 20]`, perhaps several beside one another.
fn stages_in(line: &str) -> Vec<Stage> {
    let bars = line.split("[Stage ").skip(1);
    bars.filter_map(|bar| {
        let (number, rest) = bar.split_once(':')?;
        let (counts, all) = rest.split_once(") / ")?;
        let (_, counts) = counts.rsplit_once('(')?;
        let (done, _) = counts.split_once(" + ")?;
        Some(Stage {
            number: number.parse().ok()?,
            done: done.trim().parse().ok()?,
            all: all.split(']').next()?.trim().parse().ok()?,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Detached;

    #[test]
    fn the_page_is_found_in_both_modes_and_not_elsewhere() {
        let before_4 = "INFO Utils: Bound SparkUI to 127.0.0.1, and started at http://h:4040";
        assert_eq!(page_in(before_4), Some(Page::Url("http://h:4040")));
        let cluster = "\t tracking URL: https://rm:8088/proxy/application_1/";
        let url = "https://rm:8088/proxy/application_1/";
        assert_eq!(page_in(cluster), Some(Page::Url(url)));
        assert_eq!(page_in("INFO Master: started at http://h:8080"), None);
        let attempt = Detached::default();
        let mut said = Said::new(&attempt);
        said.hear("INFO JettyUtils: Start Jetty 127.0.0.1:4040 for SparkUI");
        said.hear(
            "WARN Utils: Service 'SparkUI' could not bind on port 4040. Attempting port 4041.",
        );
        said.hear("INFO Utils: Successfully started service 'SparkUI' on port 4041.");
        assert_eq!(attempt.tracking_url().unwrap(), "http://127.0.0.1:4041");
        assert_ne!(named("0.0.0.0"), "0.0.0.0");
    }

    #[test]
    fn bars_become_progress() {
        let attempt = Detached::default();
        let mut said = Said::new(&attempt);
        said.hear("Connected to Spark cluster with app ID app-2026-0001");
        assert_eq!(
            attempt.status_message().unwrap(),
            "Spark application app-2026-0001"
        );
        said.hear("[Stage 0:=>   (1 + 2) / 4][Stage 1:>   (0 + 0) / 4]");
        let expected =
            "Spark application app-2026-0001: stage 0: 1 of 4 tasks, stage 1: 0 of 4 tasks";
        assert_eq!(attempt.status_message().unwrap(), expected);
        assert_eq!(attempt.progress_percentage(), Some(12.5));
        assert_eq!(stages_in("[Stage x"), []);
    }
}
