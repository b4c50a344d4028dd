//! What is known of a content that was downloaded, wholly or in part: enough to go on with it, or to see
//! that it has not changed. The URL is in it as a checksum, since it may have secrets in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};
use serde_json::{Value, json};

use super::fetch::Validator;
use crate::{LocalTarget, ReadWrite, TargetError};

/// A note in a file of this machine.
pub(super) struct Note {
    file: LocalTarget,
    url: String,
}

impl Note {
    pub(super) fn new(path: impl Into<PathBuf>, url: &str) -> Self {
        let mut url_sum = Sum::new();
        url_sum.add(url.as_bytes());
        Self {
            file: LocalTarget::new(path),
            url: url_sum.hex(),
        }
    }

    /// What was noted of this URL. A note that cannot be read is none: it only saves work.
    pub(super) fn read(&self) -> Option<Validator> {
        let text = self.file.read_to_string().ok()?;
        let note: Value = serde_json::from_str(&text).ok()?;
        let text = |key: &str| note[key].as_str().map(str::to_owned);
        if text("url_sha256")? != self.url {
            return None;
        }
        Some(Validator {
            etag: text("etag"),
            last_modified: text("last_modified"),
        })
    }

    pub(super) fn write(&self, validator: &Validator) -> Result<(), TargetError> {
        let note = json!({
            "url_sha256": self.url,
            "etag": validator.etag,
            "last_modified": validator.last_modified,
        });
        self.file.write(note)
    }

    pub(super) fn remove(&self) -> Result<(), TargetError> {
        gone(fs::remove_file(self.file.path())).map_err(TargetError::io("remove", &self.file))
    }
}

/// The note that belongs to a file.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".note");
    name.into()
}

/// What is not there need not be removed.
pub(super) fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// A SHA-256 that grows with the content.
pub(super) struct Sum(Context);

impl Sum {
    pub(super) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// In lower-case hexadecimal digits.
    pub(super) fn hex(self) -> String {
        let digest = self.0.finish();
        digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
