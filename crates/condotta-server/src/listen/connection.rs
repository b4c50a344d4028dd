//! One connection: its requests one after the other, and when it has to go.

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode, header},
    response::Response,
};
use hyper::{
    body::{Body as _, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::Service,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::sleep,
};
use tower::Service as _;

use super::{Limits, Peer, Phase, Shared, Transport, accept::Stream};

/// How often a connection's times are looked at, at least, and at most.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const LOOK_AFTER: Duration = Duration::from_millis(10);
/// What a client that was cut off may still send while it has not read why.
const LINGER_BYTES: usize = 128 << 20;
/// How long it may take for that.
const LINGER_TIME: Duration = Duration::from_secs(3);

/// Serves the requests of one connection.
pub(super) async fn serve(stream: Stream, peer: Peer, shared: &Shared) {
    let state = Arc::new(State::new());
    let transport = match stream {
        Stream::Tcp(_) | Stream::Tls(_) => Transport::Tcp,
        Stream::Unix(_) => Transport::Unix,
    };
    let io = Io {
        stream,
        state: state.clone(),
        discarded: 0,
    };
    let requests = Requests {
        router: shared.router.clone(),
        transport,
        peer,
        state: state.clone(),
    };
    let limits = &shared.limits;
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(limits.max_head.max(8192))
        .serve_connection(TokioIo::new(io), requests);
    let mut connection = pin!(connection);
    {
        let closing = pin!(closing(shared, &state));
        tokio::select! {
            biased;
            // Whatever went wrong on the way, it is the client's matter.
            _ = connection.as_mut() => return,
            end = closing => if end == End::Drop || state.step() == NEW {
                return;
            },
        }
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        _ = connection => {}
        () = dropping(shared, &state) => {}
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// What was asked is answered first.
    Finish,
    /// At once.
    Drop,
}

/// Waits until this connection has to go.
async fn closing(shared: &Shared, state: &State) -> End {
    let mut phase = shared.phase.clone();
    let pressed = async {
        loop {
            shared.pressure.notified().await;
            if state.has_rested(shared.limits.min_rest) {
                return End::Finish;
            }
        }
    };
    tokio::select! {
        end = state.overdue(&shared.limits) => end,
        end = pressed => end,
        _ = phase.wait_for(|phase| *phase != Phase::Open) => End::Finish,
    }
}

/// Waits until a connection that only finishes what was asked has to go all the same.
async fn dropping(shared: &Shared, state: &State) {
    let mut phase = shared.phase.clone();
    let too_slow = async { while state.overdue(&shared.limits).await != End::Drop {} };
    tokio::select! {
        () = too_slow => {}
        _ = phase.wait_for(|phase| *phase == Phase::Ended) => {}
    }
}

/// Nothing has come yet.
const NEW: u8 = 0;
/// A request's head is coming.
const HEAD: u8 = 1;
/// A request is being answered.
const SERVING: u8 = 2;
/// The last request was answered.
const WAITING: u8 = 3;
/// The last answer is given, and the client is to notice.
const LINGERING: u8 = 4;

/// What a connection does now, and since when; times are milliseconds since it began.
struct State {
    began: Instant,
    step: AtomicU8,
    since: AtomicU64,
    /// Since when an answer cannot be written on; 0 for not at all.
    stuck: AtomicU64,
    /// When the last answer was there, and how much has been written since.
    answered: AtomicU64,
    written: AtomicU64,
    /// The request's body has not been read to its end.
    unread: AtomicBool,
    /// The answer is a stream, which is the last on its connection.
    streams: AtomicBool,
}

impl State {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            step: AtomicU8::new(NEW),
            since: AtomicU64::new(0),
            stuck: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            written: AtomicU64::new(0),
            unread: AtomicBool::new(false),
            streams: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn step(&self) -> u8 {
        self.step.load(Ordering::Relaxed)
    }

    fn enter(&self, step: u8) {
        self.since.store(self.now(), Ordering::Relaxed);
        self.step.store(step, Ordering::Relaxed);
    }

    /// Whether the client has asked for nothing for that long.
    fn has_rested(&self, time: Duration) -> bool {
        let since = Duration::from_millis(self.since.load(Ordering::Relaxed));
        self.step() == WAITING && self.began.elapsed().saturating_sub(since) >= time
    }

    /// Now an answer is there.
    fn answer(&self) {
        self.enter(WAITING);
        self.answered.store(self.now(), Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
    }

    /// Now a stream begins. It is being answered until its end, so it never counts as waiting.
    fn stream(&self) {
        self.streams.store(true, Ordering::Relaxed);
    }

    /// How long an answer may still be stuck: as long as allowed, and less if the client took the
    /// answer slowly so far.
    fn patience(&self, limits: &Limits, stuck: u64) -> Option<Duration> {
        if self.streams.load(Ordering::Relaxed) {
            // There is mostly nothing to write, so that it was little says nothing.
            let stuck_for = Duration::from_millis(self.now().saturating_sub(stuck));
            return limits.write_timeout.checked_sub(stuck_for);
        }
        let earned = self.written.load(Ordering::Relaxed) * 1000 / limits.write_rate.max(1);
        let due = self
            .answered
            .load(Ordering::Relaxed)
            .saturating_add(earned)
            .min(stuck);
        let stuck_for = Duration::from_millis(self.now().saturating_sub(due));
        limits.write_timeout.checked_sub(stuck_for)
    }

    /// Waits until the connection has done one thing for too long.
    async fn overdue(&self, limits: &Limits) -> End {
        let look_every = limits
            .header_timeout
            .min(limits.write_timeout)
            .min(LOOK_EVERY);
        loop {
            let now = self.now();
            let left = |since: u64, limit: Duration| {
                limit.checked_sub(Duration::from_millis(now.saturating_sub(since)))
            };
            let stuck = self.stuck.load(Ordering::Relaxed);
            let since = self.since.load(Ordering::Relaxed);
            let (left, end) = match self.step() {
                _ if stuck > 0 => (self.patience(limits, stuck), End::Drop),
                NEW | HEAD => (left(since, limits.header_timeout), End::Drop),
                WAITING => (left(since, limits.idle_timeout), End::Finish),
                LINGERING => (left(since, LINGER_TIME), End::Drop),
                _ => (Some(look_every), End::Finish),
            };
            match left {
                Some(left) => sleep(left.min(look_every).max(LOOK_AFTER)).await,
                None => return end,
            }
        }
    }
}

/// The requests of a connection on their way to the router.
struct Requests {
    router: Router,
    transport: Transport,
    peer: Peer,
    state: Arc<State>,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.state.enter(SERVING);
        let state = self.state.clone();
        let mut request = request.map(|body| {
            state.unread.store(!body.is_end_stream(), Ordering::Relaxed);
            Body::new(RequestBody { body, state })
        });
        request.extensions_mut().insert(self.transport);
        request.extensions_mut().insert(self.peer);
        let answer = self.router.clone().call(request);
        let state = self.state.clone();
        Box::pin(async move {
            let mut answer = answer.await;
            if answer.as_ref().is_ok_and(is_stream) {
                state.stream();
            } else {
                state.answer();
            }
            if let Ok(answer) = &mut answer
                && answer.status() == StatusCode::NO_CONTENT
            {
                // HTTP forbids it there, and the router adds it all the same.
                answer.headers_mut().remove(header::CONTENT_LENGTH);
            }
            answer
        })
    }
}

/// Whether an answer goes on for as long as its client reads.
fn is_stream(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// The body of a request, which notes when it has been read.
struct RequestBody {
    body: Incoming,
    state: Arc<State>,
}

impl hyper::body::Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.state.unread.store(false, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The bytes of a connection. Notes what comes and goes, and closes gently: a client that is cut off
/// in the middle of a request can still read why.
struct Io {
    stream: Stream,
    state: Arc<State>,
    discarded: usize,
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if buffer.filled().len() > before && matches!(self.state.step(), NEW | WAITING) {
            self.state.enter(HEAD);
        }
        read
    }
}

impl Io {
    fn note_written(&self, written: &Poll<io::Result<usize>>) {
        let state = &self.state;
        if let Poll::Ready(written) = written {
            let size = *written.as_ref().unwrap_or(&0) as u64;
            state.stuck.store(0, Ordering::Relaxed);
            state.written.fetch_add(size, Ordering::Relaxed);
            if state.step() == WAITING {
                state.since.store(state.now(), Ordering::Relaxed);
            }
        } else if state.stuck.load(Ordering::Relaxed) == 0 {
            state.stuck.store(state.now().max(1), Ordering::Relaxed);
        }
    }

    /// Notes that an answer which was taken for writing is stuck, or no longer is.
    fn note_flushed(&self, done: bool) {
        let is_stuck = self.state.stuck.load(Ordering::Relaxed) > 0;
        match done {
            true if is_stuck => self.note_written(&Poll::Ready(Ok(0))),
            true => {}
            false => self.note_written(&Poll::Pending),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        self.note_written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        self.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => {
                // What was written may still be here, encrypted.
                let flushed = Pin::new(stream).poll_flush(context);
                self.note_flushed(flushed.is_ready());
                flushed
            }
        }
    }

    /// Ends what we send. If something may still be on its way here, reads on for a while without looking: to close a socket with unread
    /// bytes in it would reset the connection and take the answer from the client.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state.step() != LINGERING {
            let lingers = self.state.step() == HEAD || self.state.unread.load(Ordering::Relaxed);
            ready!(match &mut self.stream {
                Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
                Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
                Stream::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            })?;
            if !lingers {
                return Poll::Ready(Ok(()));
            }
            self.state.enter(LINGERING);
        }
        let mut scratch = [0; 16 << 10];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = self.as_mut().poll_read(context, &mut buffer);
            let size = buffer.filled().len();
            self.discarded += size;
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if size > 0 && self.discarded < LINGER_BYTES => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
