//! The configuration sections that Luigi itself reads: every key with its kind, default and old names.
//!
//! One table for flags, help and configuration. What the values mean is known to who reads them.

use crate::class::FlagKind;

/// A key of a section, which is also a flag.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As text; `None` where nothing is the default.
    pub(crate) default: Option<&'static str>,
    /// Where older configurations have it.
    pub(crate) old: Option<(&'static str, &'static str)>,
    pub(crate) help: &'static str,
}

/// What the text of a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Int,
    Float,
    Bool,
    Duration,
    Choice(&'static [&'static str]),
}

impl Key {
    pub(crate) fn flag_kind(&self) -> FlagKind {
        match self.kind {
            Kind::Bool => FlagKind::Switch,
            _ => FlagKind::Value,
        }
    }

    /// Its flag without the dashes. The keys of `[core]` need no section.
    pub(crate) fn long(&self) -> String {
        let long = match self.section {
            "core" => self.name.to_owned(),
            section => format!("{section}_{}", self.name),
        };
        long.replace('_', "-")
    }
}

/// The key of this section and name.
pub(crate) fn key(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

/// Keys that are read, but are no flags: nobody is warned of them.
pub(crate) const CONFIG_ONLY: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "autoload_range",
            "no_configure_logging",
            "rpc_retry_attempts",
            "rpc_retry_wait",
            "rpc_log_retries",
            "rpc_connect_timeout",
            "rpc_token",
            "rpc_ca_file",
            "default_scheduler_host",
            "default_scheduler_port",
            "default_scheduler_url",
            "history_filename",
            "tmp_dir",
            "hdfs_tmp_dir",
        ],
    ),
    ("email", &["max_queue", "retry_for"]),
    ("scheduler", &["public_url"]),
];

/// Sections without keys of their own here that somebody reads all the same: stores do, and engines.
pub(crate) const READ_ELSEWHERE: &[&str] = &[
    "DEFAULT",
    "resources",
    "logging",
    "task_history",
    "engine",
    "s3",
    "azure",
    "gcs",
    "sftp",
    "ftp",
    "hdfs",
    "webhdfs",
];

macro_rules! keys {
    ($($section:ident { $($name:ident: $kind:expr, $default:expr, $old:expr, $help:expr;)* })*) => {
        /// Every key, in the order in which help lists them.
        pub(crate) const KEYS: &[Key] = &[$($(Key {
            section: stringify!($section),
            name: stringify!($name),
            kind: $kind,
            default: $default,
            old: $old,
            help: $help,
        },)*)*];
    };
}

use Kind::{Bool, Choice, Duration, Float, Int, Text};

const CORE: &str = "core";

keys! {
    core {
        local_scheduler: Bool, Some("false"), None, "Use a scheduler in this process; for one machine, and for tests";
        scheduler_host: Text, Some("localhost"), Some((CORE, "default-scheduler-host")), "Host of the scheduler";
        scheduler_port: Int, Some("8082"), Some((CORE, "default-scheduler-port")), "Port of the scheduler";
        scheduler_url: Text, Some(""), Some((CORE, "default-scheduler-url")), "Address of the scheduler, instead of host and port";
        lock_size: Int, Some("1"), None, "How many processes may run the same command at a time";
        no_lock: Bool, Some("false"), None, "Run also when the same command is running already";
        lock_pid_dir: Text, None, None, "Directory of the lock's files (default: the directory for temporary files, then /luigi)";
        take_lock: Bool, Some("false"), None, "Tell processes that run the same command to ask for no more work, and run";
        workers: Int, Some("1"), None, "How many tasks run at a time";
        logging_conf_file: Text, Some(""), None, "Logging configuration, in the ini format of Python's logging";
        log_level: Choice(&["NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]), Some("DEBUG"), None, "What to log when there is no logging configuration";
        log_format: Choice(&["text", "json"]), Some("text"), None, "Form of the log's lines when there is no logging configuration";
        module: Text, Some(""), None, "Accepted for Luigi's sake and ignored: tasks are part of the program";
        parallel_scheduling: Bool, Some("false"), None, "Check many tasks for completeness at a time";
        parallel_scheduling_processes: Int, Some("0"), None, "How many to check at a time; 0 is one for each processor";
        assistant: Bool, Some("false"), None, "Run any task that the scheduler has";
        help: Bool, Some("false"), None, "Show the usual flags, and those of the task";
        help_all: Bool, Some("false"), None, "Show all flags";
    }
    worker {
        id: Text, Some(""), None, "The worker's id, instead of one made up of host, user and process";
        ping_interval: Float, Some("1.0"), Some((CORE, "worker-ping-interval")), "Seconds between two signs of life to the scheduler";
        keep_alive: Bool, Some("false"), Some((CORE, "worker-keep-alive")), "Stay while tasks are pending, also when none can run now";
        count_uniques: Bool, Some("false"), Some((CORE, "worker-count-uniques")), "Stay (see keep-alive) only for pending tasks that no other worker can run";
        count_last_scheduled: Bool, Some("false"), None, "Stay (see keep-alive) only for pending tasks that this worker announced last";
        wait_interval: Float, Some("1.0"), Some((CORE, "worker-wait-interval")), "Seconds before asking for work again";
        wait_jitter: Float, Some("5.0"), None, "Up to so many seconds, at random, are added to the wait interval";
        max_keep_alive_idle_duration: Duration, Some("0"), None, "Leave after being idle for so long, in spite of keep-alive; 0 is never";
        max_reschedules: Int, Some("1"), Some((CORE, "worker-max-reschedules")), "How often to schedule a task again whose dependency was missing when it ran";
        timeout: Int, Some("0"), Some((CORE, "worker-timeout")), "Seconds after which a run is stopped, for tasks that do not say; 0 is never";
        task_limit: Int, None, Some((CORE, "worker-task-limit")), "The most tasks to schedule";
        retry_external_tasks: Bool, Some("false"), Some((CORE, "retry-external-tasks")), "Look for the outputs of incomplete external tasks again while running";
        send_failure_email: Bool, Some("true"), None, "Send e-mail on failures from the worker";
        no_install_shutdown_handler: Bool, Some("false"), None, "Do not answer SIGUSR1";
        check_unfulfilled_deps: Bool, Some("true"), None, "Before a task runs, see that its dependencies are complete";
        check_complete_on_run: Bool, Some("false"), None, "After a task ran, see that it is complete";
        force_multiprocessing: Bool, Some("false"), None, "Run each task in a process of its own, also with one worker";
        task_process_context: Text, None, None, "A Python class around each run; of no effect on tasks in Rust";
        send_logs: Bool, Some("true"), None, "Send what tasks print to a scheduler that keeps it";
        cache_task_completion: Bool, Some("false"), None, "Do not ask a task again that once was complete";
    }
    scheduler {
        retry_delay: Float, Some("900.0"), None, "Seconds after which a failed task is tried again";
        remove_delay: Float, Some("600.0"), None, "Seconds after which a task that no worker wants is forgotten";
        worker_disconnect_delay: Float, Some("60.0"), None, "Seconds without a sign of life after which a worker is taken for dead";
        state_path: Text, Some("/var/lib/luigi-server/state.pickle"), None, "Where a scheduler server keeps its state";
        batch_emails: Bool, Some("false"), None, "Send e-mail in batches";
        disable_window: Int, Some("3600"), None, "Seconds for which a failure counts";
        retry_count: Int, Some("999999999"), None, "So many failures within the window disable a task";
        disable_hard_timeout: Int, Some("999999999"), None, "A failure so many seconds after the first one disables a task";
        disable_persist: Int, Some("86400"), None, "Seconds for which a task stays disabled";
        max_shown_tasks: Int, Some("100000"), None, "The most tasks that lists show";
        max_graph_nodes: Int, Some("100000"), None, "The most tasks that graphs show";
        record_task_history: Bool, Some("false"), None, "Keep the history of tasks in a database (of a scheduler server)";
        prune_on_get_work: Bool, Some("false"), None, "Tidy up on each request for work (a scheduler in this process always does)";
        pause_enabled: Bool, Some("true"), None, "Allow to pause the scheduler";
        send_messages: Bool, Some("true"), None, "Allow to send messages to tasks";
        metrics_collector: Choice(&["default", "none", "prometheus", "datadog", "custom"]), Some("default"), None, "Where a scheduler server sends its metrics";
        metrics_custom_import: Text, None, None, "The Python class of a custom metrics collector";
        stable_done_cooldown_secs: Int, Some("10"), None, "Seconds for which a task that was done is not accepted as pending again";
    }
    execution_summary {
        summary_length: Int, Some("5"), None, "How many tasks of a kind the execution summary lists";
    }
    retcode {
        unhandled_exception: Int, Some("4"), None, "Exit code when the program could not do its work";
        missing_data: Int, Some("0"), None, "Exit code when external dependencies are missing";
        task_failed: Int, Some("0"), None, "Exit code when a task's run fails";
        already_running: Int, Some("0"), None, "Exit code when the same command runs already, or another worker runs a task";
        scheduling_error: Int, Some("0"), None, "Exit code when a task's complete or requires fails, or the task limit was reached";
        not_run: Int, Some("0"), None, "Exit code when a task was not granted run permission by the scheduler";
    }
    email {
        force_send: Bool, Some("false"), None, "Send e-mail also from a terminal";
        format: Choice(&["plain", "html", "none"]), Some("plain"), Some((CORE, "email-type")), "Format of e-mail";
        method: Choice(&["smtp", "sendgrid", "ses", "sns"]), Some("smtp"), Some(("email", "type")), "How to send e-mail";
        prefix: Text, Some(""), Some((CORE, "email-prefix")), "Put before each subject";
        receiver: Text, Some(""), Some((CORE, "error-email")), "Whom to tell of errors";
        traceback_max_length: Int, Some("5000"), None, "The longest error text in an e-mail";
        sender: Text, None, Some((CORE, "email-sender")), "Who sends e-mail (default: luigi-client at this host)";
    }
    smtp {
        host: Text, Some("localhost"), Some((CORE, "smtp_host")), "Host of the SMTP server";
        local_hostname: Text, None, Some((CORE, "smtp_local_hostname")), "Name of this host to tell the SMTP server";
        no_tls: Bool, Some("false"), Some((CORE, "smtp_without_tls")), "Do not ask the SMTP server for TLS";
        password: Text, None, Some((CORE, "smtp_password")), "Password for the SMTP server";
        port: Int, Some("0"), Some((CORE, "smtp_port")), "Port of the SMTP server";
        ssl: Bool, Some("false"), Some((CORE, "smtp_ssl")), "Speak TLS with the SMTP server from the start";
        timeout: Float, Some("10.0"), Some((CORE, "smtp_timeout")), "Seconds to wait for the SMTP server";
        username: Text, None, Some((CORE, "smtp_login")), "User name for the SMTP server";
        verify: Bool, None, None, "Whether the SMTP server has to prove who it is (default: when a password is sent, or with ssl)";
        ca_file: Text, None, None, "Certificates that are trusted, too, in a PEM file";
    }
    sendgrid {
        apikey: Text, None, Some(("email", "SENGRID_API_KEY")), "API key for SendGrid";
    }
    batch_email {
        email_interval: Int, Some("60"), Some(("batch-notifier", "email-interval-minutes")), "Minutes between two e-mails";
        batch_mode: Choice(&["family", "all", "unbatched_params"]), Some("unbatched_params"), None, "Which failures go into one e-mail";
        error_lines: Int, Some("20"), None, "How many lines of each error are shown; 0 is all";
        error_messages: Int, Some("1"), None, "How many errors are shown in each group";
        group_by_error_messages: Bool, Some("true"), None, "Show failures of equal error together";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_as_luigi_names_them() {
        let long = |section, name| key(section, name).expect("it is there").long();
        assert_eq!(long("core", "local_scheduler"), "local-scheduler");
        assert_eq!(long("worker", "keep_alive"), "worker-keep-alive");
        assert_eq!(
            long("execution_summary", "summary_length"),
            "execution-summary-summary-length"
        );
    }

    #[test]
    fn no_two_keys_share_a_flag() {
        let mut flags: Vec<String> = KEYS.iter().map(Key::long).collect();
        flags.sort();
        let count = flags.len();
        flags.dedup();
        assert_eq!(flags.len(), count);
    }
}
