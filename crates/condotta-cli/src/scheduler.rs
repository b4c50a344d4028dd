//! `condotta scheduler`: from the command line to a server that runs, and to its end.

use condotta_config::Config;
use condotta_server::{
    ServeError, Server, ServerConfig, access::Authentication, driver::DriverError,
    http::HttpConfig, listen::ListenError,
};

use crate::{
    Call,
    arguments::SchedulerArguments,
    background::{self, Waiting},
    error::{Failure, Kind, with_causes},
    log,
    pid_file::{PidFile, PidFileError},
    places::{self, describe},
    settings::{self, Settings},
    state,
    stop::StopSignals,
};

/// Runs the server until it is told to stop, or starts one in the background.
pub(crate) fn run(arguments: &SchedulerArguments, call: &Call) -> Result<(), Failure> {
    if arguments.background && !arguments.detached {
        return background::start(arguments, call);
    }
    let mut waiting = Some(Waiting::new(arguments)?);
    let done = serve(arguments, &mut waiting);
    if let Err(failure) = &done {
        if log::directory(arguments).is_some() {
            // Otherwise it is said on standard error, where the log is.
            tracing::error!("{failure}");
        }
        if let Some(waiting) = waiting {
            waiting.failed(failure);
        }
    }
    done
}

/// Serves from the start to the end; takes `waiting` when the server is ready.
fn serve(arguments: &SchedulerArguments, waiting: &mut Option<Waiting>) -> Result<(), Failure> {
    let other = |error: &dyn std::error::Error| Failure::new(Kind::Other, with_causes(error));
    let config = settings::load_for(arguments).map_err(|error| other(&error))?;
    log::configure(arguments, &config)?;
    let settings = Settings::new(&config).map_err(|error| other(&error))?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let server_config = server_config(arguments, &settings)?;
    let state_dir = server_config.state_dir.clone();
    let pid_file = arguments.pidfile.as_deref().map(PidFile::claim);
    let _pid_file = pid_file.transpose().map_err(refused_pid_file)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| other(&error))?;
    runtime.block_on(async {
        let mut signals = StopSignals::listen().map_err(|error| other(&error))?;
        let access = server_config.http.access.clone();
        let server = Server::bind(server_config).map_err(failure)?;
        let first = describe(server.listeners(), arguments, &access);
        tracing::info!("{first}");
        if let Some(warning) = places::warn_of_readers(server.listeners(), &access) {
            tracing::warn!("{warning}");
        }
        let started = |report: &condotta_server::state::OpenReport| {
            let second = format!("State in {}: {report}", state_dir.display());
            if report.cut.is_some() {
                tracing::warn!("{second}");
            } else {
                tracing::info!("{second}");
            }
            // A launcher takes luigid's state over by itself.
            if report.is_new && arguments.launcher.is_none() {
                note_luigid(&config, &state_dir);
            }
            if let Some(waiting) = waiting.take() {
                waiting.ready(&format!("{first}\n{second}"));
            }
        };
        let stop = async {
            let signal = signals.next().await;
            tracing::info!("{signal}: Scheduler instance shutting down");
        };
        server.run(started, stop).await.map_err(failure)
    })
}

fn server_config(
    arguments: &SchedulerArguments,
    settings: &Settings,
) -> Result<ServerConfig, Failure> {
    let mut access = settings.access.clone();
    if arguments.no_authentication {
        access.authentication = Authentication::Never;
    }
    let places = places::places(arguments)?;
    let state_dir = settings::state_dir(arguments.state_dir.as_deref(), settings);
    let state_dir = state_dir.ok_or_else(settings::no_state_dir)?;
    access.state_dir = Some(state_dir.clone());
    places::check_access(arguments, &access)?;
    let serving = settings.serving.clone();
    let tls = serving.tls(
        arguments.tls_certificate.as_ref(),
        arguments.tls_key.as_ref(),
    );
    let history = settings.history.as_ref();
    let history = history.map(|history| history.beside(&state_dir));
    let mut config = ServerConfig::new(state_dir, arguments.port);
    config.history = history;
    config.tls = tls.map_err(|text| Failure::new(Kind::Usage, text))?;
    config.scheduler = settings.scheduler.clone();
    config.resources = settings.limits.clone();
    config.places = places;
    config.limits = serving.limits;
    config.http = HttpConfig {
        allowed_hosts: arguments.allowed_host.clone(),
        cors: settings.cors.clone(),
        access,
        path_prefix: arguments.path_prefix.clone(),
        ..serving.http
    };
    config.metrics = settings.metrics.clone();
    config.events = settings.events.clone();
    config.notify = settings.notify.clone();
    config.logs = settings.logs.clone();
    Ok(config)
}

/// Says how to move over, when the configuration names luigid's state.
fn note_luigid(config: &Config, state_dir: &std::path::Path) {
    if let Ok(Some(pickle)) = config.get_text("scheduler", "state_path") {
        tracing::info!(
            "[scheduler] state_path ({pickle}) is luigid's, and is not read. To move over what luigid \
             knows, stop this server and run, while luigid runs: condotta state import {} \
             --from-luigid http://localhost:8082",
            state_dir.display()
        );
    }
}

/// The exit code of a server that cannot start, or had to end.
fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Driver(DriverError::State(error)) => state::failure(error),
        ServeError::Listen(ListenError::InUse { .. }) => Failure::new(Kind::AlreadyRunning, error),
        ServeError::Listen(ListenError::Tcp { ref source, .. })
            if source.kind() == std::io::ErrorKind::AddrInUse =>
        {
            Failure::new(Kind::AlreadyRunning, with_causes(&error))
        }
        other => Failure::new(Kind::Other, with_causes(&other)),
    }
}

/// The exit code of a pid file that cannot be had.
pub(crate) fn refused_pid_file(error: PidFileError) -> Failure {
    let kind = match error {
        PidFileError::Running { .. } => Kind::AlreadyRunning,
        PidFileError::Write { .. } => Kind::Other,
    };
    Failure::new(kind, error)
}
