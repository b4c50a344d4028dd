//! What can be an argument of a program: texts, paths, numbers, files.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use condotta_targets::{LocalCopy, LocalTarget};

/// A value as a program takes it.
pub trait Argument {
    /// Its text, or its bytes if it is a path.
    fn to_argument(&self) -> OsString;
}

impl<T: Argument + ?Sized> Argument for &T {
    fn to_argument(&self) -> OsString {
        (**self).to_argument()
    }
}

macro_rules! as_os_str {
    ($($type:ty)*) => {$(
        impl Argument for $type {
            fn to_argument(&self) -> OsString {
                AsRef::<OsStr>::as_ref(self).to_owned()
            }
        }
    )*};
}
as_os_str! { str String OsStr OsString Path PathBuf }

macro_rules! as_displayed {
    ($($type:ty)*) => {$(
        impl Argument for $type {
            fn to_argument(&self) -> OsString {
                self.to_string().into()
            }
        }
    )*};
}
as_displayed! { Cow<'_, str> bool char f32 f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize jiff::civil::Date }

/// Its path.
impl Argument for LocalTarget {
    fn to_argument(&self) -> OsString {
        self.path().as_os_str().to_owned()
    }
}

/// Its path.
impl Argument for LocalCopy {
    fn to_argument(&self) -> OsString {
        self.path().as_os_str().to_owned()
    }
}

/// As a program would be told on a command line: quoted where a shell would want it.
pub(crate) fn quoted(argument: &str) -> Cow<'_, str> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_=+,./:@%*<>".contains(byte);
    if !argument.is_empty() && argument.as_bytes().iter().all(is_plain) {
        return Cow::Borrowed(argument);
    }
    Cow::Owned(format!("'{}'", argument.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_texts_and_targets_become_paths() {
        let target = LocalTarget::new("a b/c");
        assert_eq!(target.to_argument(), "a b/c");
        assert_eq!((&&7_u32).to_argument(), "7");
        assert_eq!(2.5_f64.to_argument(), "2.5");
        assert_eq!(jiff::civil::date(2012, 1, 31).to_argument(), "2012-01-31");
        assert_eq!(Path::new("x").to_argument(), "x");
    }

    #[test]
    fn what_a_shell_would_split_is_quoted() {
        assert_eq!(quoted("--month=2012-01"), "--month=2012-01");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(quoted(""), "''");
    }
}
