//! What the configuration says of stores: sections such as Luigi's `[s3]`.

use std::{io, sync::LazyLock};

use condotta_config::Config;

#[cfg(any(
    feature = "azure",
    feature = "ftp",
    feature = "gcs",
    feature = "s3",
    feature = "webhdfs"
))]
use crate::location::Secret;

static CONFIGURATION: LazyLock<Result<Config, String>> =
    LazyLock::new(|| Config::load_default().map_err(|error| error.to_string()));

/// What a section says of a key; nothing where it is empty, either.
pub(crate) fn setting(section: &str, key: &str) -> io::Result<Option<String>> {
    let wrong = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
    let config = CONFIGURATION
        .as_ref()
        .map_err(|error| wrong(error.clone()))?;
    let value = config.get_text(section, key);
    let value = value.map_err(|error| wrong(error.to_string()))?;
    Ok(value.filter(|value| !value.is_empty()))
}

#[cfg(any(
    feature = "azure",
    feature = "ftp",
    feature = "gcs",
    feature = "s3",
    feature = "webhdfs"
))]
/// The same for what is not to be shown.
pub(crate) fn secret(section: &str, key: &str) -> io::Result<Option<Secret>> {
    Ok(setting(section, key)?.map(Secret::new))
}
