//! `webhooks`: which there are, how they go, and whether one works.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{answer::Answerer, input::Name, openapi::Error};
use crate::{
    access::Operator,
    audit::{Deed, Operation},
    http::{Server, error::HttpError},
    notify::webhook::Hook,
};

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(webhooks))
        .routes(routes!(test_webhook))
}

/// All webhooks.
#[derive(Serialize, ToSchema)]
struct Webhooks {
    /// In the order of the configuration.
    items: Vec<Webhook>,
}

/// A webhook. Its address may be a secret, and is not shown.
#[derive(Serialize, ToSchema)]
struct Webhook {
    /// Its name.
    name: String,
    /// The host that it sends to.
    host: String,
    /// What it tells of.
    events: Vec<&'static str>,
    /// How many messages were taken.
    sent: u64,
    /// How many were given up.
    failed: u64,
    /// How many events wait.
    queued: u64,
}

/// Whether a webhook works.
#[derive(Serialize, ToSchema)]
struct WebhookTest {
    /// The webhook.
    name: String,
    /// Whether the receiver took the message.
    taken: bool,
    /// Why not.
    reason: Option<String>,
}

/// Webhooks, and how they go.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", responses((status = 200, body = Webhooks)))]
async fn webhooks(State(server): State<Server>, answerer: Answerer) -> Response {
    let items = server.notifier.hooks().iter().map(webhook).collect();
    answerer.small(&Webhooks { items })
}

fn webhook(hook: &Hook) -> Webhook {
    let figures = hook.figures();
    Webhook {
        name: hook.name().to_owned(),
        host: hook.place().to_owned(),
        events: hook.kinds().iter().map(|kind| kind.word()).collect(),
        sent: figures.sent,
        failed: figures.failed,
        queued: figures.queued,
    }
}

/// Sends a message that says that it is a test, once, and says what became of it. For operators.
#[utoipa::path(post, path = "/webhooks/{name}/test", tag = "webhooks",
    params(("name" = String, Path, description = "The webhook")),
    responses(
        (status = 200, body = WebhookTest),
        (status = 404, description = "There is no such webhook", body = Error),
    ))]
async fn test_webhook(
    State(server): State<Server>,
    operator: Operator,
    Name(name): Name,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let Some(hook) = server.notifier.hook(&name).cloned() else {
        let name: String = name.chars().take(100).collect();
        return Err(HttpError::new(
            StatusCode::NOT_FOUND,
            "no_webhook",
            format!(
                "there is no webhook {name}: the configuration has no section [webhook {name}]"
            ),
        ));
    };
    let tested = tokio::task::spawn_blocking(move || hook.test()).await;
    let tested = tested.unwrap_or_else(|error| Err(format!("the test panicked: {error}")));
    let deed = Deed::new(Operation::TestWebhook).on(&name);
    let details = json!({"taken": tested.is_ok()});
    operator.did(&server, deed.with(details)).await;
    Ok(answerer.small(&WebhookTest {
        name,
        taken: tested.is_ok(),
        reason: tested.err(),
    }))
}
