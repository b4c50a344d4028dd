//! An answer that goes on, such as the event stream, and ends when its caller may come in no more.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// Looks before each piece whether the caller is still let in.
pub(crate) struct Watched<F> {
    body: Body,
    is_let_in: F,
}

impl<F: Fn() -> bool> Watched<F> {
    pub(crate) fn new(body: Body, is_let_in: F) -> Self {
        Self { body, is_let_in }
    }
}

impl<F: Fn() -> bool + Unpin> HttpBody for Watched<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let goes_on = frame.is_some() && (self.is_let_in)();
        Poll::Ready(frame.filter(|_| goes_on))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
