//! A scheduler behind the remote procedure calls, for tests that speak JSON.
#![allow(dead_code, reason = "each test file uses its part of this")]

use condotta_protocol::{Json, Object, dispatch, read_json};
use condotta_scheduler::{Config, Now, Scheduler};
use serde_json::Value;

/// A scheduler with Luigi's defaults.
pub(crate) struct Rpc(Scheduler);

impl Rpc {
    /// Without limits on resources.
    pub(crate) fn new() -> Self {
        Self(Scheduler::new(Config::default(), [].into(), 0))
    }

    /// The reply of `method` to `arguments`, written in Python's dialect, or the error's text.
    pub(crate) fn call(
        &mut self,
        secs: f64,
        method: &str,
        arguments: &str,
    ) -> Result<Value, String> {
        let arguments = read_json(arguments).expect("arguments are JSON");
        let Json::Object(arguments) = arguments else {
            panic!("arguments are an object");
        };
        self.call_object(secs, method, arguments)
    }

    /// The same with arguments that were read already.
    pub(crate) fn call_object(
        &mut self,
        secs: f64,
        method: &str,
        arguments: Object,
    ) -> Result<Value, String> {
        dispatch(&mut self.0, Now::at(1000.0 + secs), method, arguments)
            .map_err(|error| error.to_string())
    }

    /// The reply of a request that is accepted.
    pub(crate) fn ok(&mut self, secs: f64, method: &str, arguments: &str) -> Value {
        self.call(secs, method, arguments)
            .unwrap_or_else(|error| panic!("{method} {arguments}: {error}"))
    }
}

/// Each request is refused with its message, and afterwards the scheduler knows nothing.
pub(crate) fn assert_refused(method: &str, cases: &[(&str, &str)]) {
    for (arguments, message) in cases {
        let mut rpc = Rpc::new();
        let reply = rpc.call(0.0, method, arguments);
        assert_eq!(reply, Err((*message).to_owned()), "{method} {arguments}");
        assert_eq!(rpc.ok(0.0, "worker_list", "{}"), Value::Array(Vec::new()));
        assert_eq!(rpc.ok(0.0, "resource_list", "{}"), Value::Array(Vec::new()));
        assert_eq!(
            rpc.ok(0.0, "graph", "{}"),
            Value::Object(serde_json::Map::new())
        );
    }
}

/// Each request is accepted and answered with null.
pub(crate) fn assert_accepted(method: &str, cases: &[&str]) {
    for arguments in cases {
        let reply = Rpc::new().call(0.0, method, arguments);
        assert_eq!(reply, Ok(Value::Null), "{method} {arguments}");
    }
}
