//! Work that takes the processor for long, done beside the threads that serve connections.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Does work on threads of their own, no more at once than there are processors.
#[derive(Clone, Debug)]
pub(crate) struct HeavyWork {
    places: Arc<Semaphore>,
}

impl Default for HeavyWork {
    fn default() -> Self {
        let places = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
        Self {
            places: Arc::new(Semaphore::new(places)),
        }
    }
}

impl HeavyWork {
    /// What `work` gives; done elsewhere if it is heavy.
    pub(crate) async fn run<T, F>(&self, is_heavy: bool, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        if !is_heavy {
            return work();
        }
        let place = self.places.clone().acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _place = place.expect("the semaphore is never closed");
            work()
        });
        match done.await {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
