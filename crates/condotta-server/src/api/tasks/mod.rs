//! Tasks: lists, single ones, and what operators do to them.

mod actions;
mod bulk;
mod detail;
mod filter;
mod list;
mod messages;
mod order;
mod rerun;
mod why;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::Server;

pub(crate) use detail::no_task;
pub(crate) use order::Sort;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list::tasks))
        .routes(routes!(detail::task))
        .routes(routes!(why::why))
        .routes(routes!(actions::forgive))
        .routes(routes!(actions::re_enable))
        .routes(routes!(actions::done))
        .routes(routes!(actions::disable))
        .routes(routes!(bulk::bulk))
        .routes(routes!(messages::send))
        .routes(routes!(messages::response))
}
