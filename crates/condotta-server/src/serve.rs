//! A whole server: sockets, stored state and the scheduler's thread, from start to stop.

use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
};

use condotta_history::{History, HistoryError, Sender, Waiting};
use condotta_scheduler::Config;
use tokio::sync::oneshot;

use crate::{
    access::AccessConfig,
    api::{Events, EventsConfig, Series},
    audit::RefusedLately,
    driver::{Driver, DriverConfig, DriverError, Handle},
    history::Telling,
    http::{self, HttpConfig},
    listen::{self, Limits, ListenError, Listener, Place, Serving, Tls, TlsError, TlsFiles},
    logs::{self, Logs, LogsConfig, Sweeper},
    metrics::{Meters, Metrics, MetricsConfig, MetricsError},
    notify::{Notifier, NotifyConfig, NotifyError},
    observer::Observer,
    state::OpenReport,
};

/// How far the journal grows until a snapshot is taken, in bytes.
const SNAPSHOT_AFTER_BYTES: u64 = 64 << 20;

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The scheduler's settings.
    pub scheduler: Config,
    /// The limits of resources.
    pub resources: BTreeMap<String, u64>,
    /// The directory in which the state is kept.
    pub state_dir: PathBuf,
    /// Where to listen.
    pub places: Vec<Place>,
    /// The certificate with which connections over TCP are encrypted; they are not without one.
    pub tls: Option<TlsFiles>,
    /// How requests are taken in.
    pub http: HttpConfig,
    /// What connections may take.
    pub limits: Limits,
    /// What `/metrics` shows; nothing without it.
    pub metrics: Option<MetricsConfig>,
    /// What the event stream may take.
    pub events: EventsConfig,
    /// Who is told what happens.
    pub notify: NotifyConfig,
    /// How the history of attempts is kept; there is none without it.
    pub history: Option<condotta_history::Settings>,
    /// How much is kept of what attempts print.
    pub logs: LogsConfig,
}

impl ServerConfig {
    /// A server for this machine with the settings that Luigi's has when nothing is configured.
    #[must_use]
    pub fn new(state_dir: PathBuf, port: u16) -> Self {
        let access = AccessConfig {
            state_dir: Some(state_dir.clone()),
            ..AccessConfig::default()
        };
        Self {
            scheduler: Config::default(),
            resources: BTreeMap::new(),
            state_dir,
            places: vec![Place::Loopback { port }],
            tls: None,
            http: HttpConfig {
                access,
                ..HttpConfig::default()
            },
            limits: Limits::default(),
            metrics: None,
            events: EventsConfig::default(),
            notify: NotifyConfig::default(),
            history: None,
            logs: LogsConfig::default(),
        }
    }
}

/// Why a server cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen where it should.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// It cannot encrypt connections.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its state or its scheduler failed.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// It cannot count as it should.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// It cannot tell people what happens.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// It cannot keep the history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// A server that listens, so that whoever connects has to wait but is not turned away.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    metrics: Option<Metrics>,
    notifier: Notifier,
    meters: Arc<Meters>,
    history: Option<(Waiting, Sender)>,
    config: ServerConfig,
}

impl Server {
    /// Takes the sockets.
    ///
    /// # Errors
    ///
    /// When one of them cannot be had.
    pub fn bind(config: ServerConfig) -> Result<Self, ServeError> {
        let meters = Arc::new(Meters::default());
        let notifier = Notifier::new(config.notify.clone(), &config.state_dir)?;
        let metrics = config.metrics.clone();
        let metrics = metrics
            .map(|config| Metrics::new(config, Arc::clone(&meters), Some(notifier.clone())))
            .transpose()?;
        let tls = config.tls.clone().map(Tls::new).transpose()?;
        let mut listeners = listen::bind(&config.places)?;
        for listener in &mut listeners {
            tls.iter().for_each(|tls| listener.encrypt(tls));
        }
        if let Some(address) = listeners.iter().find_map(Listener::tcp_address) {
            let scheme = if tls.is_some() { "https" } else { "http" };
            notifier.place_server(&format!("{scheme}://{address}"));
        }
        Ok(Self {
            listeners,
            metrics,
            notifier,
            meters,
            history: config.history.clone().map(Waiting::new),
            config,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Reads the stored state, tells `started` what was found, and serves until `stop` is there.
    /// While the state is read, requests are answered with 503, which workers repeat; `stop` ends
    /// that, too, with nothing changed.
    ///
    /// Runs on a Tokio runtime. All that was acknowledged is stored when this returns.
    ///
    /// # Errors
    ///
    /// When the state cannot be used, or the scheduler's thread had to end by itself.
    pub async fn run(
        self,
        started: impl FnOnce(&OpenReport),
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let handle = Handle::default();
        let mut events = self.config.events;
        // Readers leave room for others.
        let most = (self.config.limits.max_connections / 2).max(1);
        events.max_readers = events.max_readers.min(most);
        let events = Events::new(events);
        let address = self.config.history.as_ref().map(|it| it.address.clone());
        let logs = open_logs(&self.config.state_dir, self.config.logs);
        let series = Series::default();
        let refused = RefusedLately::default();
        if let Some(logs) = &logs {
            // Nobody else sets it.
            let _ = self.meters.logs.set(logs.store.clone());
        }
        let services = http::Services {
            handle: handle.clone(),
            metrics: self.metrics.clone(),
            events: events.clone(),
            notifier: self.notifier.clone(),
            history: address.map(History::new).transpose()?,
            logs: logs.clone(),
            series: series.clone(),
            refused: refused.clone(),
        };
        let trail_dir = self.config.http.access.state_dir.clone();
        let counting = tokio::spawn(series.run(handle.clone()));
        let router = http::router(services, self.config.http);
        let (stop_http, http_stopped) = oneshot::channel::<()>();
        let http = tokio::spawn(listen::serve(
            self.listeners,
            Serving {
                router,
                limits: self.config.limits,
                connections: self.meters.connections.clone(),
            },
            async move {
                // Also when the other end is dropped.
                let _ = http_stopped.await;
            },
        ));
        let metrics = self
            .metrics
            .map(|metrics| Box::new(metrics) as Box<dyn Observer>);
        let mut observers = Vec::from_iter(metrics);
        observers.push(events.observer().map_err(DriverError::Thread)?);
        let sweeping = logs.as_ref().map(|logs| {
            observers.push(Box::new(logs.observer()));
            let (store, running) = (logs.store.clone(), logs.running.clone());
            tokio::spawn(Sweeper::new(store, running, handle.clone()).run())
        });
        let told = self.notifier.observer().map_err(DriverError::Thread)?;
        let notifying = told.map(|(observer, running)| {
            observers.push(observer);
            running
        });
        let (waiting, sender) = self.history.unzip();
        if let Some(sender) = &sender {
            // Nobody else sets it.
            let _ = self.meters.history.set(sender.backlog());
        }
        let telling = sender.map(|sender| Box::new(Telling::new(sender)) as Box<dyn Observer>);
        observers.extend(telling);
        let config = DriverConfig {
            scheduler: Config {
                record_task_history: waiting.is_some(),
                ..self.config.scheduler
            },
            limits: self.config.resources,
            state_dir: self.config.state_dir,
            snapshot_after_bytes: SNAPSHOT_AFTER_BYTES,
            observers,
            meters: self.meters,
            history: waiting,
        };
        let mut stop = std::pin::pin!(stop);
        let mut reading = start_driver(config, handle)?;
        let read = tokio::select! {
            read = &mut reading => read,
            () = &mut stop => {
                http.abort();
                return Ok(());
            }
        };
        let mut driver = read.expect("the thread says how it went")?;
        started(driver.report());
        if let Some(notifying) = &notifying {
            notifying.begin().map_err(DriverError::Thread)?;
        }
        tokio::select! {
            () = &mut stop => {}
            () = driver.ended() => {}
        }
        driver.close();
        events.close();
        if let Some(logs) = &logs {
            logs.close();
        }
        for beside in sweeping.into_iter().chain([counting]) {
            beside.abort();
        }
        drop(stop_http);
        joined(http.await)?;
        let stopping = tokio::task::spawn_blocking(move || {
            // Nobody asks any more, and the directory is locked still.
            if let Some(trail_dir) = trail_dir {
                refused.close(&trail_dir);
            }
            let stopped = driver.stop();
            if let Some(notifying) = notifying {
                notifying.stop();
            }
            stopped
        });
        joined(stopping.await)?;
        Ok(())
    }
}

/// What attempts print is kept beside the state. A server that cannot keep it does without.
fn open_logs(state_dir: &Path, config: LogsConfig) -> Option<Logs> {
    if !config.enabled {
        return None;
    }
    let folder = state_dir.join(logs::FOLDER);
    match Logs::open(&folder, config) {
        Ok(logs) => Some(logs),
        Err(error) => {
            let folder = folder.display();
            tracing::error!("what attempts print is not kept: {folder}: {error}");
            None
        }
    }
}

/// Reads the state on a thread that nobody has to wait for, unlike those of the runtime.
fn start_driver(
    config: DriverConfig,
    handle: Handle,
) -> Result<oneshot::Receiver<Result<Driver, DriverError>>, DriverError> {
    let (done, reading) = oneshot::channel();
    std::thread::Builder::new()
        .name("reading".to_owned())
        .spawn(move || drop(done.send(Driver::start(config, &handle))))
        .map_err(DriverError::Thread)?;
    Ok(reading)
}

/// What a task returned; its panic goes on here.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    /// A pipe that nobody writes to takes for ever to read.
    #[tokio::test]
    async fn a_stop_while_the_state_is_read_ends_the_server() {
        let home = tempfile::tempdir().unwrap();
        mkfifo(&home.path().join("journal-1.log"), Mode::S_IRWXU).unwrap();
        let server = Server::bind(ServerConfig::new(home.path().to_owned(), 0)).unwrap();
        let stop = tokio::time::sleep(Duration::from_millis(50));
        let run = server.run(|_| panic!("it cannot be read"), stop);
        let ended = tokio::time::timeout(Duration::from_secs(30), run).await;
        ended.expect("it ends").expect("in good order");
    }
}
