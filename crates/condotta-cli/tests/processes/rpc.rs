//! Requests as stock workers send them.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// A way to a scheduler server.
#[derive(Clone)]
pub(crate) struct Rpc {
    agent: Agent,
    base: String,
}

/// An answer over HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Rpc {
    pub(crate) fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self {
            agent: config.new_agent(),
            base: base.to_owned(),
        }
    }

    /// The value that `method` answers to these arguments.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, arguments: &Value) -> Value {
        let answer = self.post(method, &arguments.to_string());
        let answer = answer.unwrap_or_else(|error| panic!("{method}: {error}"));
        let shown: String = arguments.to_string().chars().take(300).collect();
        assert_eq!(answer.status, 200, "{method} {shown}: {answer:?}");
        let mut envelope: Value = serde_json::from_str(&answer.body).unwrap();
        envelope["response"].take()
    }

    /// What is answered to a request whose `data` is this text.
    pub(crate) fn post(&self, method: &str, data: &str) -> Result<Answer, ureq::Error> {
        let url = format!("{}/api/{method}", self.base);
        let mut response = self.agent.post(url).send_form([("data", data)])?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: response.body_mut().read_to_string()?,
        })
    }

    /// What is answered to a GET of this path.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, ureq::Error> {
        let mut response = self.agent.get(format!("{}{path}", self.base)).call()?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: response.body_mut().read_to_string()?,
        })
    }

    /// The same server under a path.
    pub(crate) fn under(&self, path: &str) -> Self {
        Self {
            agent: self.agent.clone(),
            base: format!("{}{path}", self.base),
        }
    }

    /// What is answered to a client that calls the server by this name.
    pub(crate) fn post_to_host(&self, method: &str, host: &str) -> Answer {
        let url = format!("{}/api/{method}", self.base);
        let request = self.agent.post(url).header("Host", host);
        let mut response = request.send_form([("data", "{}")]).unwrap();
        Answer {
            status: response.status().as_u16(),
            body: response.body_mut().read_to_string().unwrap(),
        }
    }

    /// Whether the scheduler answers.
    pub(crate) fn is_ready(&self) -> bool {
        let answer = self.post("is_paused", "{}");
        answer.is_ok_and(|answer| answer.status == 200)
    }
}
