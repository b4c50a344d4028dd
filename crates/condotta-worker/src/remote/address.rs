//! Where a scheduler server is: its URL taken apart. What is shown of it has no password.

use std::{fmt, path::PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// The address of a scheduler server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The URL that requests go to, without credentials and without a slash at its end.
    pub(super) base: String,
    /// The URL as people see it.
    pub(super) shown: String,
    /// The host, without a port.
    pub(super) host: String,
    /// The value of the `Authorization` header.
    pub(super) authorization: Option<String>,
    /// The socket in the file system that takes the place of the network.
    pub(super) socket: Option<PathBuf>,
}

/// A URL that names no scheduler server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is no address of a scheduler: {reason}")]
pub struct AddressError {
    /// What was given, without its password.
    url: String,
    /// What is wrong with it.
    reason: &'static str,
}

impl Address {
    /// Takes `http://host:port/prefix/`, `https://…`, or `http+unix://%2Fpath%2Fto.sock/` apart.
    pub(super) fn parse(url: &str) -> Result<Self, AddressError> {
        let url = url.trim();
        let error = |reason| AddressError {
            url: without_password(url),
            reason,
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(error("it does not begin with http:// or https://"));
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme == "unix" {
            return Err(error(
                "a socket in the file system is named as in http+unix://%2Frun%2Fcondotta.sock",
            ));
        }
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = match rest.find('/') {
            Some(at) => (&rest[..at], rest[at..].trim_end_matches('/')),
            None => (rest, ""),
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if place.is_empty() {
            return Err(error("it names no host"));
        }
        let bad_escape = || error("a % in it is not followed by two hexadecimal digits");
        let authorization = match user {
            Some(user) => Some(basic(user).ok_or_else(bad_escape)?),
            None => None,
        };
        let shown_user = match user.and_then(|user| user.split(':').next()) {
            Some(name) if !name.is_empty() => format!("{name}@"),
            _ => String::new(),
        };
        let shown = format!("{scheme}://{shown_user}{place}{path}");
        let (base, host, socket) = match scheme.as_str() {
            "http" | "https" => {
                let host = host_of(place).ok_or_else(|| error("its port is no number"))?;
                (format!("{scheme}://{place}{path}"), host, None)
            }
            "http+unix" => {
                let socket = unescape(place).ok_or_else(bad_escape)?;
                // Servers want a host; what its name is does not matter.
                let host = "localhost".to_owned();
                (
                    format!("http://{host}{path}"),
                    host,
                    Some(PathBuf::from(socket)),
                )
            }
            _ => return Err(error("it does not begin with http:// or https://")),
        };
        if base.parse::<ureq::http::Uri>().is_err() {
            return Err(error("it has characters that no URL has"));
        }
        Ok(Self {
            base,
            shown,
            host,
            authorization,
            socket,
        })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.shown).finish()
    }
}

/// The host of `host:port` or `[::1]:port`.
fn host_of(place: &str) -> Option<String> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':').unwrap_or(rest))
        }
        None => place.split_once(':').unwrap_or((place, "")),
    };
    (port.is_empty() || port.parse::<u16>().is_ok()).then(|| host.to_owned())
}

fn basic(user: &str) -> Option<String> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let pair = format!("{}:{}", unescape(name)?, unescape(password)?);
    Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

/// A URL that cannot be taken apart, without what may be a password.
fn without_password(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    match url.rfind('@').filter(|at| *at >= start) {
        Some(at) => format!("{}…{}", &url[..start], &url[at..]),
        None => url.to_owned(),
    }
}

/// Resolves `%2F` and the like.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).expect("two hexadecimal digits make a byte"));
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_stay_and_slashes_at_the_end_go() {
        for (url, base) in [
            ("http://h:1", "http://h:1"),
            ("http://h:1/", "http://h:1"),
            ("https://h/a/b//", "https://h/a/b"),
            (" HTTP://h/a?x=1#y", "http://h/a"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(
                (address.base.as_str(), address.shown.as_str()),
                (base, base),
                "{url}"
            );
        }
        for (url, host) in [
            ("http://h:1", "h"),
            ("http://[::1]:80/x", "::1"),
            ("http://h", "h"),
        ] {
            assert_eq!(Address::parse(url).unwrap().host, host);
        }
    }

    #[test]
    fn credentials_become_a_header_and_the_password_is_shown_nowhere() {
        let address = Address::parse("http://me:s%40crt@h:1/p").unwrap();
        assert_eq!(address.base, "http://h:1/p");
        assert_eq!(address.authorization.as_deref(), Some("Basic bWU6c0BjcnQ="));
        assert_eq!(address.shown, "http://me@h:1/p");
        assert!(!format!("{address:?}").contains("crt"));
    }

    #[test]
    fn a_socket_in_the_file_system_is_an_address() {
        let address = Address::parse("http+unix://%2Frun%2Fa%20b.sock/prefix/").unwrap();
        assert_eq!(address.socket, Some(PathBuf::from("/run/a b.sock")));
        assert_eq!(address.base, "http://localhost/prefix");
        assert_eq!(address.shown, "http+unix://%2Frun%2Fa%20b.sock/prefix");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for (url, reason) in [
            (
                "localhost:8082",
                "it does not begin with http:// or https://",
            ),
            ("ftp://h", "it does not begin with http:// or https://"),
            ("http:///x", "it names no host"),
            (
                "unix:///run/s.sock",
                "a socket in the file system is named as in http+unix://%2Frun%2Fcondotta.sock",
            ),
            ("http://h:port", "its port is no number"),
            (
                "http://me:s%4@h",
                "a % in it is not followed by two hexadecimal digits",
            ),
            ("http://h h/", "it has characters that no URL has"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.reason, reason, "{url}");
        }
        let error = Address::parse("http://me:secret@h:port").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"http://…@h:port\" is no address of a scheduler: its port is no number"
        );
    }
}
