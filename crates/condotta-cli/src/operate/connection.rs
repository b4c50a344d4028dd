//! The way to the scheduler: Luigi's remote procedure calls, so that stock luigid answers, too; and the REST
//! API for what only condotta's scheduler has.

use std::{
    io::Read,
    path::PathBuf,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use condotta_config::Config;
use condotta_worker::{HttpClient, HttpFailure, Identity, Outlook};
use serde_json::{Value, json};

use super::{
    arguments::Common,
    harmless::{harmless, harmless_lines},
};
use crate::{
    error::{Failure, Kind, with_causes},
    settings,
};

/// For so long a scheduler that was there is waited for.
const AWAY: Duration = Duration::from_secs(120);
/// Between two looks whether it is there again.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// A scheduler that runs somewhere.
pub(crate) struct Scheduler {
    client: HttpClient,
    /// Its address as people may see it.
    shown: String,
}

impl Scheduler {
    /// The scheduler that the command line names, or the configuration. Nothing is sent yet.
    pub(crate) fn find(common: &Common) -> Result<Self, Failure> {
        let other = |error: &dyn std::error::Error| Failure::new(Kind::Other, with_causes(error));
        let config = settings::load(&common.config).map_err(|error| other(&error))?;
        let timeout = config.get_float("core", "rpc_connect_timeout");
        let timeout = timeout.map_err(|error| other(&error))?;
        let url = match &common.scheduler_url {
            Some(url) => url.clone(),
            None => configured(&config).map_err(|error| other(&error))?,
        };
        let identity = identity(&config).map_err(|error| other(&error))?;
        let client = HttpClient::new(&url, timeout.unwrap_or(10.0), &identity)
            .map_err(|error| Failure::new(Kind::Usage, error))?;
        Ok(Self {
            client,
            shown: without_user(&url),
        })
    }

    /// What `method` answers to these arguments.
    pub(crate) fn call(&self, method: &str, arguments: &Value) -> Result<Value, Failure> {
        self.ask(method, arguments)
            .map_err(|failure| self.failure(method, &failure))
    }

    /// The same for a method that only condotta's scheduler has; `None` where there is none.
    pub(crate) fn extension(
        &self,
        method: &str,
        arguments: &Value,
    ) -> Result<Option<Value>, Failure> {
        match self.ask(method, arguments) {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if failure.outlook == Outlook::NoMethod => {
                // Where there is no such method there should be Luigi's.
                self.call("is_paused", &json!({}))?;
                Ok(None)
            }
            Err(failure) => Err(self.failure(method, &failure)),
        }
    }

    /// What the REST API has at `path`, such as `tasks`, with this query; `None` where there is no such
    /// API, as on luigid.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Value>, Failure> {
        let pairs = query.iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={}", escaped(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        self.of_api(path, self.client.get(&format!("/api/v1/{path}?{query}")))?
            .map(json)
            .transpose()
    }

    /// What the REST API answers to this body at `path`; `None` where there is no such API.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Option<Value>, Failure> {
        let answer = self
            .client
            .post_json(&format!("/api/v1/{path}"), &body.to_string());
        self.of_api(path, answer)?.map(json).transpose()
    }

    /// What the REST API goes on saying at `path`, which may have a query; `None` where there is no such
    /// API. It may be silent for so long.
    pub(crate) fn stream(
        &self,
        path: &str,
        silence: Duration,
    ) -> Result<Option<impl Read + use<>>, Failure> {
        self.of_api(
            path,
            self.client.stream(&format!("/api/v1/{path}"), silence),
        )
    }

    /// Asks again and again while nobody answers, for who follows a scheduler through its restart. People are
    /// told what it waits for. What does not pass by itself is not waited for.
    pub(crate) fn patiently<T>(&self, ask: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
        let begin = Instant::now();
        let mut is_told = false;
        loop {
            match ask() {
                Err(failure) if failure.may_pass() && begin.elapsed() < AWAY => {
                    if !is_told {
                        let (shown, secs) = (&self.shown, AWAY.as_secs());
                        eprintln!(
                            "condotta: the scheduler at {shown} does not answer; waiting up to {secs} s for it"
                        );
                    }
                    is_told = true;
                    thread::sleep(PAUSE);
                }
                answered => return answered,
            }
        }
    }

    fn of_api<T>(&self, path: &str, answer: Result<T, HttpFailure>) -> Result<Option<T>, Failure> {
        let failure = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(failure) => failure,
        };
        match (failure.code.as_deref(), failure.outlook) {
            (None, Outlook::NoMethod) => {
                // Where there is no such API there should be Luigi's methods.
                self.call("is_paused", &json!({}))?;
                Ok(None)
            }
            // Ours says what is not there.
            (Some(_), Outlook::NoMethod) | (Some("bad_attempt_id"), _) => Err(Failure::new(
                Kind::NotFound,
                harmless_lines(&failure.to_string()),
            )),
            // Nobody refuses anything: there is no log yet.
            (Some("not_run"), _) => Err(Failure::new(
                Kind::Refused,
                harmless_lines(&failure.to_string()),
            )),
            _ => Err(self.failure(path, &failure)),
        }
    }

    fn ask(&self, method: &str, arguments: &Value) -> Result<Value, HttpFailure> {
        let answer = self
            .client
            .post(&format!("/api/{method}"), &arguments.to_string())?;
        // What is no JSON, or no object, has no response.
        let mut answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let response = answer.get_mut("response");
        Ok(response.map(Value::take).unwrap_or_default())
    }

    fn failure(&self, method: &str, failure: &HttpFailure) -> Failure {
        let (shown, failed) = (&self.shown, harmless(&failure.to_string()));
        let told = match failure.outlook {
            // It is there, and says what it lacks.
            Outlook::MayPass if failure.code.is_some() => Failure::new(
                Kind::Unreachable,
                format!("the scheduler at {shown} cannot answer that now: {failed}"),
            ),
            Outlook::MayPass => Failure::new(
                Kind::Unreachable,
                format!(
                    "the scheduler at {shown} cannot be asked: {failed}; start one there, or say where \
                     another one is with --scheduler-url"
                ),
            ),
            Outlook::NoMethod => Failure::new(
                Kind::Unreachable,
                format!("there is no scheduler at {shown}: it does not know {method} ({failed})"),
            ),
            Outlook::NoWay => Failure::new(
                Kind::Unreachable,
                format!("the scheduler at {shown} cannot be spoken to: {failed}"),
            ),
            Outlook::Refused => Failure::new(
                Kind::Refused,
                format!("the scheduler at {shown} refuses: {failed}"),
            ),
        };
        if failure.outlook == Outlook::MayPass && !failure.server_failed {
            told.that_may_pass()
        } else {
            told
        }
    }

    /// Its address as people may see it.
    pub(crate) fn address(&self) -> &str {
        &self.shown
    }

    /// What to say of something that stock luigid lacks.
    pub(crate) fn only_ours(&self, what: &str) -> Failure {
        let shown = &self.shown;
        let text = format!(
            "the scheduler at {shown} is Luigi's own, which {what}; condotta scheduler does"
        );
        Failure::new(Kind::Refused, text)
    }
}

fn json(answer: String) -> Result<Value, Failure> {
    let read = serde_json::from_str(&answer);
    read.map_err(|error| Failure::new(Kind::Other, format!("the answer is no JSON: {error}")))
}

/// Who asks, and whom it trusts, as workers read it.
fn identity(config: &Config) -> Result<Identity, condotta_config::ConfigError> {
    Ok(Identity {
        token: config.get_text("core", "rpc_token")?,
        ca_file: config.get_text("core", "rpc_ca_file")?.map(PathBuf::from),
    })
}

/// The address in section `[core]`, as workers read it.
fn configured(config: &Config) -> Result<String, condotta_config::ConfigError> {
    let url = config.get_text("core", "scheduler_url")?;
    if let Some(url) = url.filter(|url| !url.is_empty()) {
        return Ok(url);
    }
    let either = |new: &str, old: &str| match config.get_text("core", new) {
        Ok(None) => config.get_text("core", old),
        said => said,
    };
    let host = either("scheduler_host", "default-scheduler-host")?;
    let port = either("scheduler_port", "default-scheduler-port")?;
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    let port = port.unwrap_or_else(|| "8082".to_owned());
    Ok(format!("http://{host}:{port}"))
}

/// A URL without user name and password.
pub(crate) fn without_user(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    let place = &url[start..end];
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    harmless(&format!("{}{place}{}", &url[..start], &url[end..]))
}

/// A text as a part of a path or a query.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Seconds since the epoch.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_workers() {
        let of = |text: &str| configured(&text.parse().unwrap()).unwrap();
        assert_eq!(of(""), "http://localhost:8082");
        let parts = "[core]\nscheduler_host = there\nscheduler_port = 1\n";
        assert_eq!(of(parts), "http://there:1");
        let old = "[core]\ndefault-scheduler-host = there\n";
        assert_eq!(of(old), "http://there:8082");
        let url = "[core]\nscheduler_url = https://a.example/luigi\nscheduler_host = x\n";
        assert_eq!(of(url), "https://a.example/luigi");
    }

    #[test]
    fn names_stand_in_paths_and_queries() {
        assert_eq!(escaped("A b/ü"), "A%20b%2F%C3%BC");
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("http://me:secret@host:1/luigi", "http://host:1/luigi"),
            ("http://me:se@cret@host", "http://host"),
            ("http://host/a@b", "http://host/a@b"),
            ("http+unix://%2Frun%2Fs.sock", "http+unix://%2Frun%2Fs.sock"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }
}
