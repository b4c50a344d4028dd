//! What a request says of who sends it: a token in its headers, or the cookie of a session.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{
    alphabet,
    engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig},
};

/// The cookie that stands for a token in browsers.
pub(crate) const COOKIE: &str = "condotta_session";

/// As `Basic` writes it, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who a request says it comes from.
#[derive(PartialEq, Eq)]
pub(super) enum Credentials {
    /// It says nothing.
    None,
    /// A token, as `Bearer` or as the password of `Basic`.
    Token(String),
    /// A session of a browser.
    Session(String),
    /// An `Authorization` that cannot be read.
    Unclear(&'static str),
}

impl Credentials {
    /// A header counts before a cookie, which browsers send by themselves.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Self::Unclear("there are two Authorization headers"),
            (Some(value), None) => Self::of_header(value),
            (None, _) => session(headers).map_or(Self::None, Self::Session),
        }
    }

    fn of_header(value: &HeaderValue) -> Self {
        let parted = value.to_str().ok().and_then(|text| text.split_once(' '));
        let Some((scheme, rest)) = parted else {
            return Self::Unclear("the Authorization header has no scheme and token");
        };
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Self::Token(rest.to_owned());
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Self::Unclear("the Authorization header is neither Bearer nor Basic");
        }
        let bytes = BASE64.decode(rest).ok();
        let pair = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        match pair.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((_, password)) => Self::Token(password.to_owned()),
            None => Self::Unclear("the Authorization header holds no user and password"),
        }
    }
}

/// The value of our cookie.
pub(super) fn session(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter();
    let mut pairs = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == COOKIE);
    found.map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        match Credentials::of(&headers) {
            Credentials::None => "none".to_owned(),
            Credentials::Token(token) => format!("token {token}"),
            Credentials::Session(session) => format!("session {session}"),
            Credentials::Unclear(_) => "unclear".to_owned(),
        }
    }

    #[test]
    fn tokens_come_in_both_ways_and_before_sessions() {
        for (headers, expected) in [
            (&[][..], "none"),
            (&[("authorization", "Bearer  abc")], "token abc"),
            (&[("authorization", "bearer abc")], "token abc"),
            // x:se:cret
            (&[("authorization", "Basic eDpzZTpjcmV0")], "token se:cret"),
            // :ab
            (&[("authorization", "Basic OmFi")], "token ab"),
            // x:a, with padding and without
            (&[("authorization", "Basic eDphYg==")], "token ab"),
            (&[("authorization", "Basic eDphYg")], "token ab"),
            (&[("authorization", "Basic eA==")], "unclear"),
            (&[("authorization", "Basic %%%")], "unclear"),
            (&[("authorization", "Digest abc")], "unclear"),
            (&[("authorization", "abc")], "unclear"),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
                "unclear",
            ),
            (&[("cookie", "a=b; condotta_session=s; c=d")], "session s"),
            (
                &[
                    ("cookie", "condotta_session=s"),
                    ("authorization", "Bearer a"),
                ],
                "token a",
            ),
        ] {
            assert_eq!(of(headers), expected, "{headers:?}");
        }
    }
}
