//! The text of a token, and what is kept of it.
//!
//! A token is 256 bits from the system's source of randomness, so nobody can guess it or go through
//! candidates: what is kept is its plain SHA-256. Salt and slow hashes protect what people make up
//! themselves, which tokens are not, and would cost every request.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
};
use subtle::ConstantTimeEq as _;

/// Tells people and programs that look for leaked secrets what this is.
const PREFIX: &str = "condotta_";

/// The system has no randomness to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

/// A new secret; letters, digits, `-` and `_` only, so it stands in URLs as it is.
pub(super) fn new_secret() -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| NoRandomness)?;
    Ok(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// What is kept of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(secret: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, secret.as_bytes());
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Whether both are of the same secret; takes as long whether they are or not.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    pub(super) fn to_text(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_stand_in_urls() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), PREFIX.len() + 43);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(one.chars().all(is_plain), "{one}");
    }

    #[test]
    fn a_digest_is_sha_256_and_survives_being_written() {
        let digest = Digest::of("abc");
        // The published example: ba7816bf… in hexadecimal.
        assert_eq!(digest.0[..4], [0xba, 0x78, 0x16, 0xbf]);
        let read = Digest::from_text(&digest.to_text()).unwrap();
        assert!(read.matches(&digest) && !read.matches(&Digest::of("abd")));
        assert!(Digest::from_text("short").is_none());
    }
}
