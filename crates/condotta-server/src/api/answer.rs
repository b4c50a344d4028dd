//! What answers look like: JSON, compressed and tagged as the client wishes.

use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
    response::Response,
};
use serde::Serialize;

use crate::http::{
    Server,
    answer::{self, JSON, Wishes},
};

/// Turns answers into bytes as this client wishes; an extractor.
pub(crate) struct Answerer {
    server: Server,
    wishes: Wishes,
}

impl FromRequestParts<Server> for Answerer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        server: &Server,
    ) -> Result<Self, Self::Rejection> {
        let is_tagged = matches!(parts.method, Method::GET | Method::HEAD);
        Ok(Self {
            server: server.clone(),
            wishes: Wishes::of(&parts.headers, is_tagged),
        })
    }
}

impl Answerer {
    /// An answer of a few kilobytes.
    pub(crate) fn small(self, value: &impl Serialize) -> Response {
        answer::respond(text(value), JSON, &self.wishes)
    }

    /// An answer of any length, put into words where nobody waits for it.
    pub(crate) async fn large<T: Serialize + Send + 'static>(self, value: T) -> Response {
        self.made(move || value).await
    }

    /// An answer that is made where nobody waits for it.
    pub(crate) async fn made<T: Serialize>(
        self,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Response {
        let wishes = self.wishes;
        let respond = move || answer::respond(text(&make()), JSON, &wishes);
        self.server.work.run(true, respond).await
    }
}

fn text(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(value).expect("keys are text");
    text.push(b'\n');
    text
}
