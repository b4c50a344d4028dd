//! How a cluster is reached: name node, user, Hadoop's own configuration.

use std::{io, path::PathBuf};

use hdfs_native::ClientBuilder;

use super::files::{HdfsFiles, explained};
use crate::{
    location::Location,
    remote::{
        by_rename::ByRename,
        runtime,
        settings::setting,
        store::{Connected, Protocol},
    },
};

const SECTION: &str = "hdfs";
/// How often the client asks again, and how long it waits before it does so for the first time, in
/// milliseconds: for some six seconds in all, as other stores are asked.
const PATIENCE: [(&str, &str); 2] = [
    ("dfs.client.failover.max.attempts", "5"),
    ("dfs.client.failover.sleep.base.millis", "100"),
];

/// The settings of [`HdfsFileSystem`](crate::HdfsFileSystem).
#[derive(Clone, Debug, Default)]
pub struct Hdfs {
    pub(super) user: Option<String>,
    pub(super) configuration: Option<PathBuf>,
}

impl Protocol for Hdfs {
    const SCHEMES: &'static [&'static str] = &["hdfs"];

    fn connect(&self, location: &Location) -> io::Result<Connected> {
        if location.password.is_some() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "HDFS takes no password: it believes a user's name, or asks Kerberos",
            ));
        }
        let mut builder = ClientBuilder::new()
            .with_url(format!("hdfs://{}", location.host))
            .with_config(PATIENCE)
            .with_io_runtime(runtime::handle()?);
        let user = location.user.clone().or_else(|| self.user.clone());
        let user = match user {
            Some(user) => Some(user),
            None => setting(SECTION, "effective_user")?,
        };
        if let Some(user) = user {
            builder = builder.with_user(user);
        }
        let configuration = match &self.configuration {
            Some(folder) => Some(folder.to_string_lossy().into_owned()),
            None => setting(SECTION, "configuration_folder")?,
        };
        if let Some(folder) = configuration {
            builder = builder.with_config_dir(folder);
        }
        let client = builder.build().map_err(explained)?;
        Ok(Connected::new(ByRename::new(
            HdfsFiles::new(client),
            location.store(),
        )))
    }
}
