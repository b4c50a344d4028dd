//! The runtime that drives what is asynchronous below this crate's blocking calls.
//!
//! It is made by the first call that needs it, so that a process which has not used a store yet has no
//! threads of it and may fork.

use std::{
    future::Future,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::runtime::{Builder, Handle, Runtime};

static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

/// The runtime, for what has to be started within it.
pub(crate) fn handle() -> io::Result<Handle> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = &*runtime {
        return Ok(runtime.handle().clone());
    }
    let made = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("condotta-store")
        .enable_all()
        .build()?;
    Ok(runtime.insert(made).handle().clone())
}

/// Waits for what a future gives.
///
/// It runs on the runtime's own threads, so that it may be waited for in any thread, also in one of
/// another runtime.
pub(crate) fn wait<T: Send + 'static>(
    future: impl Future<Output = io::Result<T>> + Send + 'static,
) -> io::Result<T> {
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    handle()?.spawn(async move {
        // Whoever waits is there until it has the answer.
        let _ = send.send(future.await);
    });
    let ended = |_| io::Error::other("the call ended without an answer: it panicked");
    receive.recv().map_err(ended)?
}

/// Waits for at most a time, for what is done only to be tidy.
pub(crate) fn wait_briefly(future: impl Future<Output = ()> + Send + 'static) {
    const LONGEST: Duration = Duration::from_secs(10);
    let Ok(handle) = handle() else { return };
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    handle.spawn(async move {
        future.await;
        let _ = send.send(());
    });
    let _ = receive.recv_timeout(LONGEST);
}
