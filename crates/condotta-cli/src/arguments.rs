//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{Launcher, error::CODES, operate::OperateCommand, token::TokenCommand};

/// Runs and looks after the scheduler of Luigi's and condotta's workers.
#[derive(Debug, Parser)]
#[command(name = "condotta", version, after_help = CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the scheduler's server, which takes the place of luigid
    #[command(after_help = CODES)]
    Scheduler(SchedulerArguments),
    /// Look after the stored state of a scheduler that does not run
    #[command(subcommand, after_help = CODES)]
    State(StateCommand),
    #[command(flatten)]
    Operate(OperateCommand),
    /// Make, list and revoke the tokens with which callers of a scheduler say who they are
    #[command(subcommand, after_help = CODES)]
    Token(TokenCommand),
}

/// How to run the server.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SchedulerArguments {
    /// Address or name to listen on, any number of times [default: this machine only]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Vec<String>,
    /// Port to listen on; 0 is any free one
    #[arg(long, default_value_t = 8082)]
    pub(crate) port: u16,
    /// Unix socket to listen on, instead of a port unless --address is there, too
    #[arg(long, value_name = "PATH")]
    pub(crate) unix_socket: Option<PathBuf>,
    /// Directory of the stored state [default: [scheduler] state_dir of luigi.cfg, else
    /// /var/lib/condotta for root, else ~/.local/state/condotta]
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Further name under which clients reach this server, such as that of a reverse proxy; any
    /// number of times. `.example.com` is every name below it
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    pub(crate) allowed_host: Vec<String>,
    /// Path under which a reverse proxy hands requests on, such as /luigi
    #[arg(
        long,
        value_name = "PATH",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) path_prefix: String,
    /// Ask nobody for a token, also over addresses that other hosts reach: whoever reaches the server
    /// may do everything
    #[arg(long)]
    pub(crate) no_authentication: bool,
    /// Certificate, as PEM with those between it and its root, with which connections over TCP are
    /// encrypted; read again when it changes [default: [scheduler] tls_certificate]
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key of the certificate, as PEM [default: [scheduler] tls_key]
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Further configuration file, read last; any number of times
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
    /// Run in the background; returns as soon as the server listens
    #[arg(long)]
    pub(crate) background: bool,
    /// File for the process's id; a process that it names and that runs is not joined by another
    #[arg(long, value_name = "FILE")]
    pub(crate) pidfile: Option<PathBuf>,
    /// Directory of the log, luigi-server.log, which begins anew each day
    /// [default: standard error; in the background /var/log/luigi]
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) logdir: Option<PathBuf>,
    /// Is the process in the background.
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
    /// Who started the server in its own process.
    #[arg(skip)]
    pub(crate) launcher: Option<Launcher>,
}

impl SchedulerArguments {
    pub(crate) fn launched_by(self, launcher: Option<Launcher>) -> Self {
        Self { launcher, ..self }
    }

    /// The command that does the same for other hosts.
    pub(crate) fn opened(&self) -> String {
        if let Some(launcher) = &self.launcher {
            return format!("{} --address 0.0.0.0", launcher.command);
        }
        let mut words = vec!["condotta scheduler --address 0.0.0.0".to_owned()];
        if self.port != 8082 {
            words.push(format!("--port {}", self.port));
        }
        let paths = [
            ("--unix-socket", &self.unix_socket),
            ("--state-dir", &self.state_dir),
            ("--pidfile", &self.pidfile),
            ("--logdir", &self.logdir),
            ("--tls-certificate", &self.tls_certificate),
            ("--tls-key", &self.tls_key),
        ];
        for (flag, path) in paths {
            if let Some(path) = path {
                words.push(format!("{flag} {}", quoted(&path.to_string_lossy())));
            }
        }
        for host in &self.allowed_host {
            words.push(format!("--allowed-host {}", quoted(host)));
        }
        if !self.path_prefix.is_empty() {
            words.push(format!("--path-prefix {}", quoted(&self.path_prefix)));
        }
        for file in &self.config {
            words.push(format!("--config {}", quoted(&file.to_string_lossy())));
        }
        if self.no_authentication {
            words.push("--no-authentication".to_owned());
        }
        if self.background {
            words.push("--background".to_owned());
        }
        words.join(" ")
    }
}

/// What to do with a stored state.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Say what the directory holds and whether it is sound
    Check {
        /// The state's directory
        directory: PathBuf,
        /// Set aside what is damaged and keep all that can be read
        #[arg(long)]
        repair: bool,
    },
    /// Write the state as JSON lines to standard output
    Export {
        /// The state's directory
        directory: PathBuf,
    },
    /// Make a state from what `export` wrote, or from what a luigid reports
    Import {
        /// The new state's directory
        directory: PathBuf,
        /// The file to read; `-` is standard input
        #[arg(
            default_value = "-",
            conflicts_with = "from_luigid",
            hide_default_value = true
        )]
        file: PathBuf,
        /// Address of a running luigid to read from, such as http://localhost:8082
        #[arg(long, value_name = "URL")]
        from_luigid: Option<String>,
    },
}

/// A name as the header `Host` has it, without its port.
fn host_name(text: &str) -> Result<String, String> {
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    if text.is_empty()
        || (text.contains(|c: char| ":/?#@[]".contains(c) || c.is_whitespace()) && !is_address)
    {
        return Err(
            "write a name alone, without scheme, port and path, such as scheduler.example.com"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%:,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn scheduler(words: &str) -> SchedulerArguments {
        let words = ["condotta", "scheduler"]
            .into_iter()
            .chain(words.split(' '));
        let words = words.filter(|word| !word.is_empty());
        match Arguments::try_parse_from(words).unwrap().command {
            Command::Scheduler(arguments) => arguments,
            _ => unreachable!("it is the scheduler"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_command_for_other_hosts_keeps_what_was_said() {
        let open = "condotta scheduler --address 0.0.0.0";
        assert_eq!(scheduler("").opened(), open);
        let words = "--port 9000 --state-dir /srv/state --allowed-host a.example --path-prefix /luigi \
                     --config more.cfg --background --pidfile p --logdir l --unix-socket s \
                     --tls-certificate c --tls-key k --no-authentication";
        let opened = scheduler(words).opened();
        let again = opened.replace("condotta scheduler ", "");
        let again = scheduler(&again);
        assert_eq!(again.address, ["0.0.0.0"]);
        let plain = |arguments: &SchedulerArguments| {
            let mut same = arguments.clone();
            same.address.clear();
            format!("{same:?}")
        };
        assert_eq!(plain(&again), plain(&scheduler(words)));
    }

    #[test]
    fn what_a_launcher_is_told_is_its_own_command() {
        let launcher = Launcher {
            command: "luigid --port 9000".to_owned(),
            settings: Vec::new(),
        };
        let arguments = scheduler("--port 9000 --config /tmp/x.cfg").launched_by(Some(launcher));
        assert_eq!(arguments.opened(), "luigid --port 9000 --address 0.0.0.0");
    }

    #[test]
    fn an_allowed_host_is_a_name() {
        for wrong in ["http://foo/", "foo/x", "foo:8082", "[::1]", "a b", ""] {
            let error = host_name(wrong).unwrap_err();
            assert!(error.contains("scheduler.example.com"), "{wrong}: {error}");
        }
        for right in ["foo", ".example.com", "*", "::1", "10.0.0.1", "foo."] {
            assert_eq!(host_name(right).unwrap(), right);
        }
    }

    #[test]
    fn words_are_quoted_when_they_need_it() {
        let mut arguments = scheduler("--address 127.0.0.1");
        arguments.state_dir = Some("/srv/my state's".into());
        let quoted = r"--state-dir '/srv/my state'\''s'";
        assert!(
            arguments.opened().ends_with(quoted),
            "{}",
            arguments.opened()
        );
    }
}
