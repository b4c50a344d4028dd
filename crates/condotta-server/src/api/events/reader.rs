//! One reader of the event stream: which events it wants, and how they reach it at its own pace.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{sleep, timeout},
};

use super::{EventsConfig, ring::Taken, thread::Shared, told::EventKind};

/// How long a reader is left alone after it got something: what happens meanwhile comes together.
const PAUSE: Duration = Duration::from_millis(250);
/// Keeps a silent stream alive, and finds out who is gone.
const HEARTBEAT: Bytes = Bytes::from_static(b": nothing new\n\n");

/// Which events a reader wants; without names all of them.
#[derive(Default)]
pub(crate) struct Filter {
    pub(crate) kinds: Vec<EventKind>,
    pub(crate) families: Vec<String>,
    pub(crate) tasks: Vec<String>,
}

impl Filter {
    pub(super) fn takes_all(&self) -> bool {
        self.kinds.is_empty() && self.families.is_empty() && self.tasks.is_empty()
    }

    /// A reset is for everybody. Of a task that is gone, only the id tells its family.
    pub(super) fn takes(&self, kind: EventKind, task: Option<&str>, family: Option<&str>) -> bool {
        if kind == EventKind::Reset {
            return true;
        }
        let is_kind = self.kinds.is_empty() || self.kinds.contains(&kind);
        let Some(task) = task else {
            return is_kind;
        };
        let is_family = |wanted: &String| match family {
            Some(family) => wanted == family,
            None => task
                .strip_prefix(wanted.as_str())
                .is_some_and(|rest| rest.starts_with('_')),
        };
        is_kind
            && (self.families.is_empty() || self.families.iter().any(is_family))
            && (self.tasks.is_empty() || self.tasks.iter().any(|wanted| wanted == task))
    }
}

/// The body of the answer: pieces of the stream as they come.
pub(super) struct ReaderBody {
    pieces: mpsc::Receiver<Bytes>,
}

impl Body for ReaderBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.poll_recv(context);
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// A reader, as long as it reads.
struct Reader {
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
    /// There was more than it was sent the last time.
    is_behind: bool,
}

impl Reader {
    fn new(shared: Arc<Shared>, place: OwnedSemaphorePermit) -> Self {
        shared.readers.fetch_add(1, Ordering::Relaxed);
        Self {
            shared,
            _place: place,
            is_behind: false,
        }
    }

    /// The next events: its share of what all readers are sent, if others are behind, too.
    fn take(&mut self, next: &mut u64, filter: &Filter) -> Taken {
        let others = self.shared.behind.load(Ordering::Relaxed) - usize::from(self.is_behind);
        let most = at_once(&self.shared.config, others + 1);
        let taken = self.shared.take(next, filter, most);
        self.note(taken.has_more);
        taken
    }

    fn note(&mut self, is_behind: bool) {
        match (self.is_behind, is_behind) {
            (false, true) => self.shared.behind.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.shared.behind.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.is_behind = is_behind;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.note(false);
        self.shared.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts to read. The stream ends with its body, or when the server stops.
pub(super) fn start(
    shared: Arc<Shared>,
    place: OwnedSemaphorePermit,
    filter: Filter,
    last: Option<String>,
) -> ReaderBody {
    // One piece may wait in here; the rest waits in the ring.
    let (sender, pieces) = mpsc::channel(1);
    let (begin, next) = shared.begin(last.as_deref());
    let reader = Reader::new(shared, place);
    tokio::spawn(async move {
        let reading = read(reader, filter, begin, next, &sender);
        tokio::select! {
            () = reading => {}
            () = sender.closed() => {}
        }
    });
    ReaderBody { pieces }
}

/// How many events one of so many readers that are behind gets before it is left alone for a while.
fn at_once(config: &EventsConfig, readers: usize) -> usize {
    let pauses_in_a_second = usize::try_from(1000 / PAUSE.as_millis()).expect("a few");
    let of_each = config.max_rate_in_all / readers;
    (config.max_rate.min(of_each) / pauses_in_a_second).max(1)
}

async fn read(
    mut reader: Reader,
    filter: Filter,
    begin: Bytes,
    mut next: u64,
    sender: &mpsc::Sender<Bytes>,
) {
    let shared = Arc::clone(&reader.shared);
    let mut news = shared.news.subscribe();
    let mut piece = begin;
    loop {
        if !piece.is_empty() && sender.send(piece).await.is_err() {
            return;
        }
        sleep(PAUSE).await;
        news.mark_unchanged();
        if shared.is_closed() {
            return;
        }
        let taken = reader.take(&mut next, &filter);
        piece = taken.text;
        if !piece.is_empty() || taken.has_more {
            continue;
        }
        match timeout(shared.config.heartbeat, news.changed()).await {
            Ok(Ok(())) => {}
            // Nobody will tell anything any more.
            Ok(Err(_)) => return,
            Err(_) => piece = HEARTBEAT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_readers_share_what_all_are_sent() {
        let config = EventsConfig {
            max_rate: 1000,
            max_rate_in_all: 10_000,
            ..EventsConfig::default()
        };
        let paces = [1, 10, 50, 100_000].map(|readers| at_once(&config, readers));
        assert_eq!(paces, [250, 250, 50, 1]);
    }
}
