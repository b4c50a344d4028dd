//! `settings`: by which rules the scheduler decides. There are no secrets among them.

use axum::{extract::State, response::Response};
use condotta_scheduler::Scheduler;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{answer::Answerer, shapes::finite};
use crate::http::{Server, error::HttpError};

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(settings))
}

/// The settings in force, under the names that they have in section `[scheduler]` of luigi.cfg.
#[derive(Serialize, ToSchema)]
struct Settings {
    /// Seconds for which a failed task waits before it is pending again; negative is for ever.
    retry_delay: f64,
    /// Seconds after which a task that no connected worker has a stake in is dropped.
    remove_delay: f64,
    /// Seconds of silence after which a worker counts as lost.
    worker_disconnect_delay: f64,
    /// Seconds for which a failure counts.
    disable_window: f64,
    /// This many failures within the window disable a task.
    retry_count: u64,
    /// A failure this many seconds or more after the first one disables a task.
    disable_hard_timeout: f64,
    /// Seconds for which a task that failed too often stays disabled.
    disable_persist: f64,
    /// The most tasks in a list of Luigi's methods.
    max_shown_tasks: u64,
    /// The most nodes in a graph of Luigi's methods.
    max_graph_nodes: u64,
    /// Whether each request for work prunes first.
    prune_on_get_work: bool,
    /// Whether the scheduler can be paused.
    pause_enabled: bool,
    /// Whether running tasks can be sent messages.
    send_messages: bool,
    /// Seconds for which a finished task cannot be announced as pending again.
    stable_done_cooldown_secs: f64,
}

/// The scheduler's settings in force.
#[utoipa::path(get, path = "/settings", tag = "about", responses((status = 200, body = Settings)))]
async fn settings(State(server): State<Server>, answerer: Answerer) -> Result<Response, HttpError> {
    let look = |scheduler: &Scheduler, _| {
        let config = scheduler.config();
        Settings {
            retry_delay: finite(config.retry_delay),
            remove_delay: finite(config.remove_delay),
            worker_disconnect_delay: finite(config.worker_disconnect_delay),
            disable_window: finite(config.disable_window),
            retry_count: config.retry_count,
            disable_hard_timeout: finite(config.disable_hard_timeout),
            disable_persist: finite(config.disable_persist),
            max_shown_tasks: config.max_shown_tasks,
            max_graph_nodes: config.max_graph_nodes,
            prune_on_get_work: config.prune_on_get_work,
            pause_enabled: config.pause_enabled,
            send_messages: config.send_messages,
            stable_done_cooldown_secs: finite(config.stable_done_cooldown_secs),
        }
    };
    Ok(answerer.small(&server.handle.look(look).await?))
}
