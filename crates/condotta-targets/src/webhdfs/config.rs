//! How a name node is reached, and as whom.

use std::{env, fmt, io};

use super::{client::Client, files::WebHdfsFiles};
use crate::{
    location::{Location, Secret},
    remote::{
        by_rename::ByRename,
        settings::{secret, setting},
        store::{Connected, Protocol},
    },
};

const SECTION: &str = "webhdfs";

/// The settings of [`WebHdfsFileSystem`](crate::WebHdfsFileSystem).
#[derive(Clone, Default)]
pub struct WebHdfs {
    pub(super) user: Option<String>,
    pub(super) token: Option<Secret>,
}

impl WebHdfs {
    /// Who asks: as the URL says, or this file system, or the configuration, or Hadoop's own variable.
    fn user(&self, location: &Location) -> io::Result<Option<String>> {
        let given = location.user.clone().or_else(|| self.user.clone());
        match given {
            Some(user) => Ok(Some(user)),
            None => Ok(setting(SECTION, "user")?.or_else(|| env::var("HADOOP_USER_NAME").ok())),
        }
    }
}

impl Protocol for WebHdfs {
    const SCHEMES: &'static [&'static str] = &["webhdfs", "swebhdfs"];

    fn connect(&self, location: &Location) -> io::Result<Connected> {
        let scheme = if location.scheme == "swebhdfs" {
            "https"
        } else {
            "http"
        };
        let token = match &self.token {
            Some(token) => Some(token.clone()),
            None => secret(SECTION, "delegation_token")?,
        };
        let client = Client {
            endpoint: format!("{scheme}://{}/webhdfs/v1", location.host),
            user: self.user(location)?,
            token,
        };
        Ok(Connected::new(ByRename::new(
            WebHdfsFiles { client },
            location.store(),
        )))
    }
}

impl fmt::Debug for WebHdfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebHdfs")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
