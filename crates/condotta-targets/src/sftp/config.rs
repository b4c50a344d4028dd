//! How a host is reached: what `ssh` is told.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::files::SftpFiles;
use crate::{
    location::Location,
    remote::{
        by_rename::ByRename,
        settings::setting,
        store::{Connected, Protocol},
    },
};

const SECTION: &str = "sftp";

/// The settings of [`SftpFileSystem`](crate::SftpFileSystem).
#[derive(Clone, Debug, Default)]
pub struct Sftp {
    pub(super) key_file: Option<PathBuf>,
    pub(super) config_file: Option<PathBuf>,
}

impl Sftp {
    /// The arguments of `ssh` that lead to the SFTP server of a place.
    fn arguments(&self, location: &Location) -> io::Result<Vec<String>> {
        if location.password.is_some() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "SFTP takes no password: log in with a key, from ssh's agent, its configuration, or key_file in [sftp]",
            ));
        }
        // Nobody is there to answer questions; a host that says nothing for a minute is gone.
        let mut arguments = [
            "-oBatchMode=yes",
            "-oConnectTimeout=20",
            "-oServerAliveInterval=15",
            "-oServerAliveCountMax=4",
        ]
        .map(str::to_owned)
        .to_vec();
        let (host, port) = split_port(&location.host);
        let mut add = |flag: &str, value: String| arguments.extend([flag.to_owned(), value]);
        if let Some(file) = given_or_set(self.config_file.as_deref(), "config_file")? {
            add("-F", file);
        }
        if let Some(file) = given_or_set(self.key_file.as_deref(), "key_file")? {
            add("-i", file);
        }
        if let Some(port) = port {
            add("-p", port.to_owned());
        }
        if let Some(user) = &location.user {
            add("-l", user.clone());
        }
        arguments.extend(["-s", "--", host, "sftp"].map(str::to_owned));
        Ok(arguments)
    }
}

impl Protocol for Sftp {
    const SCHEMES: &'static [&'static str] = &["sftp"];

    fn connect(&self, location: &Location) -> io::Result<Connected> {
        let files = SftpFiles::new(self.arguments(location)?, location.store());
        Ok(Connected::new(ByRename::new(files, location.store())))
    }
}

fn given_or_set(given: Option<&Path>, key: &str) -> io::Result<Option<String>> {
    match given {
        Some(path) => Ok(Some(path.to_string_lossy().into_owned())),
        None => setting(SECTION, key),
    }
}

/// A host and its port; the brackets of an IPv6 address are gone.
fn split_port(host: &str) -> (&str, Option<&str>) {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':').filter(|port| is_port(port)));
    }
    match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && !name.contains(':') => (name, Some(port)),
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_is_told_what_the_url_says() {
        let sftp = Sftp {
            key_file: Some("my key".into()),
            config_file: None,
        };
        let location = Location::parse("sftp://ann@[::1]:2022/x");
        let arguments = sftp.arguments(&location).expect("arguments").join(" ");
        assert!(
            arguments.ends_with("-i my key -p 2022 -l ann -s -- ::1 sftp"),
            "{arguments}"
        );
        assert_eq!(split_port("host:22"), ("host", Some("22")));
        assert_eq!(split_port("host"), ("host", None));
        let with_password = Location::parse("sftp://ann:sesame@host/x");
        let error = sftp
            .arguments(&with_password)
            .expect_err("no passwords")
            .to_string();
        assert!(
            error.contains("key") && !error.contains("sesame"),
            "{error}"
        );
    }
}
