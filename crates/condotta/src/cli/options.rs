//! Settings as the types that the parts of the program take.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use condotta_logging::{self as logging, Level, LoggingError, Plan};
use condotta_scheduler::Config;
use condotta_worker::{Identity, RemoteOptions, StopSignal, WorkerConfig};

use super::settings::{SettingError, Settings};
use crate::class::TaskClass;

/// Where the scheduler is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this process.
    Local,
    /// At this address.
    Remote(String),
}

/// Section `[core]`, as far as a run needs it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Core {
    pub(crate) place: Place,
    pub(crate) workers: usize,
    pub(crate) assistant: bool,
    pub(crate) parallel_scheduling: bool,
    pub(crate) parallel_scheduling_processes: usize,
    /// How many processes may run this command; `None` is any number.
    pub(crate) lock_size: Option<usize>,
    pub(crate) lock_pid_dir: PathBuf,
    pub(crate) take_lock: bool,
}

impl Core {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingError> {
        let no_lock: bool = settings.require("core", "no_lock")?;
        let lock_size: usize = settings.require("core", "lock_size")?;
        let lock_pid_dir: Option<PathBuf> = settings.get("core", "lock_pid_dir")?;
        Ok(Self {
            place: place(settings)?,
            workers: settings.require("core", "workers")?,
            assistant: settings.require("core", "assistant")?,
            parallel_scheduling: settings.require("core", "parallel_scheduling")?,
            parallel_scheduling_processes: settings
                .require("core", "parallel_scheduling_processes")?,
            lock_size: (!no_lock).then_some(lock_size),
            lock_pid_dir: lock_pid_dir.unwrap_or_else(|| std::env::temp_dir().join("luigi")),
            take_lock: settings.require("core", "take_lock")?,
        })
    }
}

fn place(settings: &Settings) -> Result<Place, SettingError> {
    if settings.require("core", "local_scheduler")? {
        return Ok(Place::Local);
    }
    let url: String = settings.require("core", "scheduler_url")?;
    if !url.is_empty() {
        return Ok(Place::Remote(url));
    }
    let host: String = settings.require("core", "scheduler_host")?;
    let port: u16 = settings.require("core", "scheduler_port")?;
    Ok(Place::Remote(format!("http://{host}:{port}/")))
}

/// How a scheduler server is spoken to: keys of section `[core]` that are no flags.
pub(crate) fn remote_options(
    settings: &Settings,
    stop: StopSignal,
) -> Result<RemoteOptions, SettingError> {
    let config = settings.config();
    let default = RemoteOptions::default();
    // Less than one attempt is one, as in Luigi.
    let attempts = config.get_int("core", "rpc_retry_attempts")?;
    let attempts = attempts.map(|attempts| u32::try_from(attempts.max(1)).unwrap_or(u32::MAX));
    Ok(RemoteOptions {
        rpc_connect_timeout: config
            .get_float("core", "rpc_connect_timeout")?
            .unwrap_or(default.rpc_connect_timeout),
        rpc_retry_attempts: attempts.unwrap_or(default.rpc_retry_attempts),
        rpc_retry_wait: config
            .get_float("core", "rpc_retry_wait")?
            .unwrap_or(default.rpc_retry_wait),
        rpc_log_retries: config
            .get_bool("core", "rpc_log_retries")?
            .unwrap_or(default.rpc_log_retries),
        identity: Identity {
            token: config.get_text("core", "rpc_token")?,
            ca_file: config.get_text("core", "rpc_ca_file")?.map(PathBuf::from),
        },
        stop,
        ..default
    })
}

/// Section `[worker]`.
pub(crate) fn worker_config(settings: &Settings) -> Result<WorkerConfig, SettingError> {
    const WORKER: &str = "worker";
    let timeout: Option<u64> = settings.get(WORKER, "timeout")?;
    let idle: Option<Duration> = settings.get(WORKER, "max_keep_alive_idle_duration")?;
    Ok(WorkerConfig {
        id: settings.require(WORKER, "id")?,
        ping_interval: settings.require(WORKER, "ping_interval")?,
        keep_alive: settings.require(WORKER, "keep_alive")?,
        count_uniques: settings.require(WORKER, "count_uniques")?,
        count_last_scheduled: settings.require(WORKER, "count_last_scheduled")?,
        wait_interval: settings.require(WORKER, "wait_interval")?,
        wait_jitter: settings.require(WORKER, "wait_jitter")?,
        max_keep_alive_idle_duration: idle.unwrap_or_default(),
        max_reschedules: settings.require(WORKER, "max_reschedules")?,
        timeout: timeout.unwrap_or_default(),
        task_limit: settings.get(WORKER, "task_limit")?,
        retry_external_tasks: settings.require(WORKER, "retry_external_tasks")?,
        send_failure_email: settings.require(WORKER, "send_failure_email")?,
        no_install_shutdown_handler: settings.require(WORKER, "no_install_shutdown_handler")?,
        check_unfulfilled_deps: settings.require(WORKER, "check_unfulfilled_deps")?,
        check_complete_on_run: settings.require(WORKER, "check_complete_on_run")?,
        force_multiprocessing: settings.require(WORKER, "force_multiprocessing")?,
        task_process_context: settings.get(WORKER, "task_process_context")?,
        cache_task_completion: settings.require(WORKER, "cache_task_completion")?,
        send_logs: settings.require(WORKER, "send_logs")?,
    })
}

/// Section `[scheduler]`, as far as it concerns a scheduler in this process.
pub(crate) fn scheduler_config(settings: &Settings) -> Result<Config, SettingError> {
    const SCHEDULER: &str = "scheduler";
    let number = |name| settings.require::<f64>(SCHEDULER, name);
    let count = |name| settings.require::<u64>(SCHEDULER, name);
    let flag = |name| settings.require::<bool>(SCHEDULER, name);
    Ok(Config {
        retry_delay: number("retry_delay")?,
        remove_delay: number("remove_delay")?,
        worker_disconnect_delay: number("worker_disconnect_delay")?,
        disable_window: number("disable_window")?,
        retry_count: count("retry_count")?,
        disable_hard_timeout: number("disable_hard_timeout")?,
        disable_persist: number("disable_persist")?,
        max_shown_tasks: count("max_shown_tasks")?,
        max_graph_nodes: count("max_graph_nodes")?,
        pause_enabled: flag("pause_enabled")?,
        send_messages: flag("send_messages")?,
        stable_done_cooldown_secs: number("stable_done_cooldown_secs")?,
        ..Config::default()
    })
}

/// The limits of section `[resources]`. Keys of `[DEFAULT]` are none.
pub(crate) fn resources(settings: &Settings) -> Result<BTreeMap<String, u64>, SettingError> {
    settings
        .config()
        .int_dict("resources")?
        .into_iter()
        .map(|(name, limit)| match u64::try_from(limit) {
            Ok(limit) => Ok((name, limit)),
            Err(_) => Err(SettingError::Resource { name, limit }),
        })
        .collect()
}

/// How to log; `None` when the configuration says to leave it alone.
///
/// The order is Luigi's: `no_configure_logging`, then `logging_conf_file`, then section `[logging]`
/// of a TOML configuration, then the default.
pub(crate) fn logging_plan(
    settings: &Settings,
    classes: &[&'static TaskClass],
) -> Result<Option<Plan>, OptionsError> {
    let config = settings.config();
    let leave_alone = config
        .get_bool("core", "no_configure_logging")
        .map_err(SettingError::from)?;
    if leave_alone == Some(true) {
        return Ok(None);
    }
    let file: String = settings.require("core", "logging_conf_file")?;
    if !file.is_empty() {
        return Ok(Some(logging::from_file(Path::new(&file))?));
    }
    if let Some(plan) = logging::from_config(config)? {
        return Ok(Some(plan));
    }
    let level: String = settings.require("core", "log_level")?;
    let level = Level::named(&level).expect("it is one of the key's choices");
    let plan = Plan::to_stderr(level, own_crates(classes));
    let format: String = settings.require("core", "log_format")?;
    Ok(Some(match format.as_str() {
        "json" => plan.in_json(),
        _ => plan,
    }))
}

/// The program's crates: that of the executable, and those that have tasks.
pub(crate) fn own_crates(classes: &[&'static TaskClass]) -> Vec<String> {
    let executable = std::env::current_exe().ok().and_then(|path| {
        let stem = path.file_stem()?.to_str()?;
        Some(stem.replace('-', "_"))
    });
    classes
        .iter()
        .filter_map(|class| (class.type_name)().split("::").next())
        .map(str::to_owned)
        .chain(executable)
        .collect()
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OptionsError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Logging(#[from] LoggingError),
}
