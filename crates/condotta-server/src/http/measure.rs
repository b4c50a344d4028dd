//! Counts requests, and how long they took.

use std::time::Instant;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use super::Server;

pub(super) async fn measure(
    State(server): State<Server>,
    request: Request,
    next: Next,
) -> Response {
    let Some(metrics) = &server.metrics else {
        return next.run(request).await;
    };
    let requests = &metrics.meters().requests;
    let place = requests.place(request.uri().path());
    let began = Instant::now();
    let response = next.run(request).await;
    requests.count(place, response.status().as_u16(), began.elapsed());
    response
}
