//! What an answer looks like: Luigi's envelope, its entity tag, and compression.

use std::io::Write;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use md5::{Digest, Md5};

use crate::driver::Reply;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

/// Smaller bodies are not compressed, as in Tornado.
const COMPRESS_FROM: usize = 1024;
/// Work on more bytes than this must not be done on the threads that serve connections.
pub(crate) const LARGE: usize = 64 << 10;

/// What a client said about how it wants its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// It takes gzip.
    pub(crate) gzip: bool,
    /// Whether the answer has an entity tag, which only answers to GET do.
    pub(crate) tagged: bool,
    /// The entity tags that it has already.
    pub(crate) known: Option<HeaderValue>,
}

impl Wishes {
    pub(crate) fn of(headers: &HeaderMap, tagged: bool) -> Self {
        Self {
            gzip: takes_gzip(headers),
            tagged,
            known: headers
                .get(header::IF_NONE_MATCH)
                .filter(|_| tagged)
                .cloned(),
        }
    }
}

/// Whether `Accept-Encoding` names gzip, and not with a weight of zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        named && weight.is_none_or(|weight| weight.parse() != Ok(0.0))
    })
}

/// `{"response": …}` around a reply.
pub(crate) fn envelope(reply: Reply) -> Vec<u8> {
    const OPEN: &[u8] = b"{\"response\": ";
    let mut text = Vec::with_capacity(128);
    text.extend_from_slice(OPEN);
    reply.write(&mut text);
    text.push(b'}');
    text
}

/// A good answer with this text, compressed, tagged, or not sent at all, as was wished.
pub(crate) fn respond(text: Vec<u8>, content_type: HeaderValue, wishes: &Wishes) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if wishes.tagged {
        let tag = tag(&text);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::ETAG, tag.clone());
        if wishes
            .known
            .as_ref()
            .is_some_and(|known| names(known, &tag))
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
    }
    headers.insert(header::CONTENT_TYPE, content_type);
    if wishes.gzip && text.len() >= COMPRESS_FROM {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        *response.body_mut() = Body::from(compress(&text));
    } else {
        *response.body_mut() = Body::from(Bytes::from(text));
    }
    response
}

fn tag(text: &[u8]) -> HeaderValue {
    let digest = Md5::digest(text);
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in digest {
        tag.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        tag.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
    }
    tag.push('"');
    HeaderValue::try_from(tag).expect("hexadecimal digits in quotes are a header's text")
}

/// Whether `If-None-Match` names the tag. Weak and strong tags compare equal, as they do in Tornado.
fn names(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let Ok(known) = known.to_str() else {
        return false;
    };
    known.trim() == "*"
        || known.split(',').any(|one| {
            let one = one.trim();
            one.strip_prefix("W/").unwrap_or(one) == tag
        })
}

/// Compresses for speed: what is saved beyond that is not worth the time of a busy server.
fn compress(text: &[u8]) -> Vec<u8> {
    let out = Vec::with_capacity(text.len() / 4);
    let mut encoder = GzEncoder::new(out, Compression::fast());
    encoder
        .write_all(text)
        .expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}
