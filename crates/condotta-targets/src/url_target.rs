//! A target in the store that its URL names: where a pipeline stores things is a matter of a parameter.

use std::{fmt, io, path::Path, sync::Arc};

use crate::{
    BoxError, Format, LocalCopy, LocalTarget, ReadWrite, Reader, Target, TargetError, Writer,
    local, location::Location,
};

/// A file wherever a URL says: `s3://bucket/name`, `sftp://host/path`, a path of this machine and so on.
///
/// Credentials and settings come from their usual places. What a program can reach depends on the
/// features that it was built with; a URL of another store is an error that names the feature.
///
/// ```
/// use condotta_targets::{ReadWrite, UrlTarget};
///
/// # let folder = tempfile::tempdir()?;
/// # let storage = folder.path().display();
/// // From a parameter, such as `--storage s3://weather/2026`.
/// let months = UrlTarget::new(format!("{storage}/months.csv.gz")).format_by_extension();
/// months.write("month,inches\n")?;
/// assert_eq!(months.read_to_string()?, "month,inches\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UrlTarget {
    location: Location,
    format: Format,
    file: Arc<dyn Stored>,
}

impl UrlTarget {
    /// The file at a URL. Without a scheme it is a path; `file:///path` is the same.
    pub fn new(url: impl AsRef<str>) -> Self {
        Self::stored(url.as_ref(), Format::Plain)
    }

    fn stored(url: &str, format: Format) -> Self {
        let location = Location::parse(url);
        let file = open(&location, url, format);
        Self {
            location,
            format,
            file,
        }
    }

    /// How the content is stored.
    pub fn format(self, format: Format) -> Self {
        let file = self.file.formatted(format);
        Self {
            format,
            file,
            ..self
        }
    }

    /// Stores the content as the name says: `.gz`, `.bz2`, `.zst`, `.xz`, else as it is.
    pub fn format_by_extension(self) -> Self {
        let format = Format::of_extension(Path::new(&self.location.path));
        self.format(format)
    }

    /// The URL, without a password.
    pub fn url(&self) -> String {
        self.location.to_string()
    }

    /// A file of this machine with the content as it is stored, for a program that reads files: a copy with the
    /// target's name or, where the target is a file of this machine, that file.
    ///
    /// # Errors
    /// There is no file, or it cannot be read.
    pub fn local_copy(&self) -> Result<LocalCopy, TargetError> {
        match self.file.local() {
            Some(file) => LocalCopy::of_file(file.path()),
            None => LocalCopy::of_stored(&*self.file.formatted(Format::Plain), self.name()),
        }
    }

    /// Hands `fill` a path on this machine at which it, or a program that it runs, makes a file. That becomes
    /// the target when `fill` succeeds, and is removed when it fails or panics.
    ///
    /// The path has the target's name. The file is stored as it is: [`format`](Self::format) is for the
    /// program to heed.
    ///
    /// # Errors
    /// `fill` failed or made nothing, the target cannot be written, or ([`TargetError::Exists`]) it exists by then.
    pub fn temporary_path<T>(
        &self,
        fill: impl FnOnce(&Path) -> Result<T, BoxError>,
    ) -> Result<T, TargetError> {
        match self.file.local() {
            Some(file) => file.temporary_path(fill),
            None => local::temporary_path(&*self.file.formatted(Format::Plain), self.name(), fill),
        }
    }

    /// Removes the file, or the folder with all that is in it.
    ///
    /// # Errors
    /// There is nothing, or it cannot be removed.
    pub fn remove(&self) -> Result<(), TargetError> {
        self.file.remove()
    }

    /// The file's name.
    fn name(&self) -> &str {
        let mut path = self.location.path.as_str();
        if self.location.scheme.starts_with("http") {
            // What follows may be a secret.
            path = path.split(['?', '#']).next().unwrap_or_default();
        }
        path.rsplit_once('/').map_or(path, |(_, name)| name)
    }
}

impl Target for UrlTarget {
    fn exists(&self) -> Result<bool, TargetError> {
        self.file.exists()
    }
}

impl ReadWrite for UrlTarget {
    fn reader(&self) -> Result<Reader, TargetError> {
        self.file.reader()
    }

    fn writer(&self) -> Result<Writer, TargetError> {
        self.file.writer()
    }
}

impl fmt::Display for UrlTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}

impl fmt::Debug for UrlTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlTarget")
            .field("location", &self.location)
            .field("format", &self.format)
            .finish()
    }
}

/// A file of any store.
trait Stored: ReadWrite {
    fn formatted(&self, format: Format) -> Arc<dyn Stored>;

    fn remove(&self) -> Result<(), TargetError>;

    /// The file, if it is one of this machine.
    fn local(&self) -> Option<&LocalTarget> {
        None
    }
}

impl Stored for LocalTarget {
    fn formatted(&self, format: Format) -> Arc<dyn Stored> {
        Arc::new(self.clone().format(format))
    }

    fn remove(&self) -> Result<(), TargetError> {
        Self::remove(self)
    }

    fn local(&self) -> Option<&LocalTarget> {
        Some(self)
    }
}

#[cfg(feature = "remote")]
impl<P: crate::Protocol> Stored for crate::RemoteTarget<P> {
    fn formatted(&self, format: Format) -> Arc<dyn Stored> {
        Arc::new(self.clone().format(format))
    }

    fn remove(&self) -> Result<(), TargetError> {
        Self::remove(self)
    }
}

#[cfg(feature = "http")]
impl Stored for crate::HttpTarget {
    fn formatted(&self, format: Format) -> Arc<dyn Stored> {
        Arc::new(self.clone().format(format))
    }

    fn remove(&self) -> Result<(), TargetError> {
        let error = io::Error::new(
            io::ErrorKind::Unsupported,
            "what is on a web server is only read",
        );
        Err(TargetError::io("remove", self)(error))
    }
}

/// The stores by their schemes, and the features that bring them.
const FEATURES: [(&str, &[&str]); 8] = [
    ("azure", &["azblob", "az"]),
    ("ftp", &["ftp", "ftps"]),
    ("gcs", &["gs", "gcs"]),
    ("hdfs", &["hdfs"]),
    ("http", &["http", "https"]),
    ("s3", &["s3", "s3a", "s3n"]),
    ("sftp", &["sftp"]),
    ("webhdfs", &["webhdfs", "swebhdfs"]),
];

fn open(location: &Location, url: &str, format: Format) -> Arc<dyn Stored> {
    let scheme = location.scheme.as_str();
    let feature = FEATURES
        .iter()
        .find(|(_, schemes)| schemes.contains(&scheme));
    match feature.map(|(feature, _)| *feature) {
        None if scheme.is_empty() => Arc::new(LocalTarget::new(url).format(format)),
        None if scheme == "file" && location.host.is_empty() => {
            Arc::new(LocalTarget::new(format!("/{}", location.path)).format(format))
        }
        #[cfg(feature = "azure")]
        Some("azure") => Arc::new(crate::AzureTarget::new(url).format(format)),
        #[cfg(feature = "ftp")]
        Some("ftp") => Arc::new(crate::FtpTarget::new(url).format(format)),
        #[cfg(feature = "gcs")]
        Some("gcs") => Arc::new(crate::GcsTarget::new(url).format(format)),
        #[cfg(feature = "hdfs")]
        Some("hdfs") => Arc::new(crate::HdfsTarget::new(url).format(format)),
        #[cfg(feature = "http")]
        Some("http") => Arc::new(crate::HttpTarget::new(url).format(format)),
        #[cfg(feature = "s3")]
        Some("s3") => Arc::new(crate::S3Target::new(url).format(format)),
        #[cfg(feature = "sftp")]
        Some("sftp") => Arc::new(crate::SftpTarget::new(url).format(format)),
        #[cfg(feature = "webhdfs")]
        Some("webhdfs") => Arc::new(crate::WebHdfsTarget::new(url).format(format)),
        feature => Arc::new(Unreachable {
            location: location.clone(),
            feature,
        }),
    }
}

/// What this program cannot reach.
#[derive(Clone)]
struct Unreachable {
    location: Location,
    feature: Option<&'static str>,
}

impl Unreachable {
    fn refuse<T>(&self, action: &'static str) -> Result<T, TargetError> {
        let reason = match self.feature {
            Some(feature) => {
                format!(
                    "this program was built without condotta's feature `{feature}`, which brings such stores"
                )
            }
            None => {
                let schemes = FEATURES.iter().flat_map(|(_, schemes)| *schemes);
                let known: Vec<_> = schemes.map(|scheme| format!("{scheme}://")).collect();
                format!(
                    "there is no store for URLs that begin with {}://; there are file://, {}",
                    self.location.scheme,
                    known.join(", ")
                )
            }
        };
        let error = io::Error::new(io::ErrorKind::Unsupported, reason);
        Err(TargetError::io(action, self)(error))
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location.fmt(f)
    }
}

impl Target for Unreachable {
    fn exists(&self) -> Result<bool, TargetError> {
        self.refuse("look for")
    }
}

impl ReadWrite for Unreachable {
    fn reader(&self) -> Result<Reader, TargetError> {
        self.refuse("read")
    }

    fn writer(&self) -> Result<Writer, TargetError> {
        self.refuse("write")
    }
}

impl Stored for Unreachable {
    fn formatted(&self, _: Format) -> Arc<dyn Stored> {
        Arc::new(self.clone())
    }

    fn remove(&self) -> Result<(), TargetError> {
        self.refuse("remove")
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn paths_are_of_this_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("größe/a b.gz");
        let by_path = UrlTarget::new(path.to_str().expect("UTF-8")).format_by_extension();
        by_path.write("content").expect("written");
        let by_url = UrlTarget::new(format!("file://{}", path.display()));
        assert!(by_url.exists().expect("looked for"));
        assert!(by_url.read_bytes().expect("read").starts_with(b"\x1f\x8b"));
        assert_eq!(by_path.to_string(), path.display().to_string());
        by_url.remove().expect("removed");
        assert!(!path.exists());
    }

    #[test]
    fn what_cannot_be_reached_says_why_and_keeps_its_password() {
        let nowhere = UrlTarget::new("gopher://ann:word@host/x");
        let error = nowhere.exists().expect_err("no such store");
        assert_eq!(error.to_string(), "cannot look for gopher://ann@host/x");
        let reason = error.source().expect("a reason").to_string();
        assert_eq!(
            reason,
            "there is no store for URLs that begin with gopher://; there are file://, azblob://, az://, ftp://, \
             ftps://, gs://, gcs://, hdfs://, http://, https://, s3://, s3a://, s3n://, sftp://, webhdfs://, swebhdfs://"
        );
        assert!(!format!("{nowhere:?}").contains("word"));
        #[cfg(not(feature = "s3"))]
        {
            let error = UrlTarget::new("s3://bucket/x")
                .write("")
                .expect_err("not built in");
            let reason = error.source().expect("a reason").to_string();
            assert!(reason.contains("feature `s3`"), "{reason}");
        }
    }
}
