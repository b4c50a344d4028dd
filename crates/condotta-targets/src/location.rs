//! Where something is: the parts of a URL, of which passwords are never shown.

use std::fmt;
#[cfg(any(feature = "http", feature = "remote"))]
use std::io;

/// The parts of `scheme://user:password@host/path`.
///
/// The path is taken as it stands: names have spaces and any letters, and nothing in it is decoded.
/// Only user and password are, so that they may have `@`, `:` and `/` in them (`%40`, `%3A`, `%2F`).
#[derive(Clone, Default)]
#[cfg_attr(
    not(feature = "remote"),
    expect(
        unreachable_pub,
        reason = "a trait of stores, which are not built in, has it"
    )
)]
pub struct Location {
    pub(crate) scheme: String,
    pub(crate) user: Option<String>,
    #[cfg_attr(
        not(any(feature = "http", feature = "remote")),
        expect(dead_code, reason = "it is for stores, which are not built in")
    )]
    pub(crate) password: Option<Secret>,
    /// With the port, if one is given. Object stores have their bucket here.
    pub(crate) host: String,
    /// Without the slash in front of it.
    pub(crate) path: String,
}

impl Location {
    /// Reads what can be read of `url`; [`check`](Self::check) says what is missing.
    pub(crate) fn parse(url: &str) -> Self {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Self {
                path: url.to_owned(),
                ..Self::default()
            };
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            Some((user, password)) => (user, password),
            None => ("", ""),
        };
        let given = |text: &str| (!text.is_empty()).then(|| decoded(text));
        Self {
            scheme: scheme.to_ascii_lowercase(),
            user: given(user),
            password: given(password).map(Secret::new),
            host: host.to_owned(),
            path: path.to_owned(),
        }
    }

    #[cfg(feature = "remote")]
    /// The same store, another path.
    pub(crate) fn with_path(&self, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..self.clone()
        }
    }

    #[cfg(any(feature = "http", feature = "remote"))]
    /// Whether this is a place in a store of these schemes.
    pub(crate) fn check(&self, schemes: &[&str]) -> io::Result<()> {
        let [first, ..] = schemes else { return Ok(()) };
        if schemes.contains(&self.scheme.as_str()) && !self.host.is_empty() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("it is not a URL such as {first}://place/name"),
        ))
    }

    #[cfg(feature = "remote")]
    /// The store, without a path in it, as people may see it.
    pub(crate) fn store(&self) -> String {
        let store = self.with_path("").to_string();
        store.trim_end_matches('/').to_owned()
    }

    #[cfg(feature = "remote")]
    /// The path of a folder, without the slash at its end.
    pub(crate) fn folder(&self) -> &str {
        self.path.trim_end_matches('/')
    }

    #[cfg(feature = "remote")]
    /// The path of a file, which has a name.
    pub(crate) fn file(&self) -> io::Result<&str> {
        if self.path.is_empty() || self.path.ends_with('/') {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the URL does not end in a name",
            ));
        }
        Ok(&self.path)
    }
}

/// As a URL, without the password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme.is_empty() {
            return f.write_str(&self.path);
        }
        write!(f, "{}://", self.scheme)?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}/{}", self.host, self.path)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|d| std::str::from_utf8(d).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], byte) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A text that is used and never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    #[cfg(any(feature = "http", feature = "remote"))]
    /// The text, for whoever it is meant for.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(all(test, feature = "remote"))]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_parts_and_keeps_its_password() {
        let location = Location::parse("SFTP://ann:p%40s%2fs@host:2022/a b/größe%20.txt");
        assert_eq!(location.scheme, "sftp");
        assert_eq!(location.user.as_deref(), Some("ann"));
        let password = location.password.as_ref().map(Secret::reveal);
        assert_eq!(password, Some("p@s/s"));
        assert_eq!(location.host, "host:2022");
        assert_eq!(location.path, "a b/größe%20.txt");
        assert_eq!(
            location.to_string(),
            "sftp://ann@host:2022/a b/größe%20.txt"
        );
        assert!(!format!("{location:?} {:?}", location.password).contains("p@s"));
    }

    #[test]
    fn what_is_no_place_says_so() {
        let schemes = ["s3", "s3a"];
        for wrong in ["data/x", "s3:///key", "gs://bucket/key", ""] {
            let error = Location::parse(wrong).check(&schemes).expect_err(wrong);
            assert!(error.to_string().contains("s3://place/name"), "{error}");
        }
        let bucket = Location::parse("s3a://bucket");
        bucket.check(&schemes).expect("a place");
        assert!(bucket.file().is_err());
        assert!(Location::parse("s3://bucket/folder/").file().is_err());
        assert_eq!(Location::parse("s3://bucket/folder/").folder(), "folder");
    }
}
