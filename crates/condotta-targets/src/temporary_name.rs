//! The names of what is not the output yet: Luigi's `<path>-luigi-tmp-<digits>`, with more digits than
//! stock Luigi gives, so that ours are known.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    process,
};

const INFIX: &str = "-luigi-tmp-";
/// Ten of the process and ten of chance. Stock Luigi has ten at most.
const DIGITS: usize = 20;
/// The longest name that file systems take.
const LONGEST_NAME: usize = 255;

/// Whether a file's name is one that this module gave.
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.len() > INFIX.len() + DIGITS && {
        let (front, digits) = name.split_at(name.len() - DIGITS);
        front.ends_with(INFIX.as_bytes()) && digits.iter().all(u8::is_ascii_digit)
    }
}

/// A name for what will be called `name`.
pub(crate) fn temporary(name: &OsStr) -> OsString {
    let mut name = name.as_bytes().to_owned();
    name.truncate(LONGEST_NAME - INFIX.len() - DIGITS);
    let process = process::id();
    let chance = fastrand::u64(0..10_000_000_000);
    name.extend(format!("{INFIX}{process:010}{chance:010}").into_bytes());
    OsString::from_vec(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_luigis_with_more_digits() {
        let name = temporary("ü.txt".as_ref());
        assert!(name.to_string_lossy().starts_with("ü.txt-luigi-tmp-"));
        assert!(is_temporary(&name));
        assert_eq!(
            temporary("n".repeat(LONGEST_NAME).as_ref()).len(),
            LONGEST_NAME
        );
        for other in [
            "ü.txt-luigi-tmp-1234567890",
            "ü.txt",
            "-luigi-tmp-12345678901234567890",
            "x-luigi-tmp-1234567890123456789x",
        ] {
            assert!(!is_temporary(OsStr::new(other)), "{other}");
        }
    }
}
