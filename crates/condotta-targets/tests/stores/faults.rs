//! What goes wrong with every store alike: who is refused, what is missing, and what breaks off.

use std::io::{self, Read, Write};

use condotta_targets::{Protocol, ReadWrite, RemoteFileSystem, RemoteTarget, Target};

use crate::{proxy::Proxy, suite::said};

/// Whatever is asked with credentials that are wrong is refused, with the section that they may come from, and
/// without the secret. `bucket` is a URL.
pub(crate) fn wrong_credentials_are_refused<P: Protocol>(
    fs: &RemoteFileSystem<P>,
    bucket: &str,
    section: &str,
    secret: &str,
) {
    let target = fs.target(format!("{bucket}/x"));
    for error in [
        target.exists().map(drop).unwrap_err(),
        target.write("x").unwrap_err(),
        target.write_bytes(vec![b'x'; 9 << 20]).unwrap_err(),
        target.read_to_string().map(drop).unwrap_err(),
        fs.list(bucket).map(drop).unwrap_err(),
    ] {
        let said = said(&error);
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{said}");
        assert!(said.contains(bucket), "{said}");
        assert!(said.contains("refuses these credentials"), "{said}");
        assert!(said.contains(section), "{said}");
        assert!(!said.contains(secret), "{said}");
    }
    assert!(!format!("{fs:?} {target:?}").contains(secret));
}

/// An object in a bucket that is not there is not taken for one that is not there yet. `word` is the store's.
pub(crate) fn a_missing_bucket_is_an_error<P: Protocol>(target: &RemoteTarget<P>, word: &str) {
    for error in [
        target.exists().map(drop).unwrap_err(),
        target.write("x").unwrap_err(),
        target.read_to_string().map(drop).unwrap_err(),
    ] {
        let said = said(&error);
        assert_ne!(error.kind(), io::ErrorKind::NotFound, "{said}");
        assert!(said.contains(word), "{said}");
        assert!(said.contains(&target.url()), "{said}");
    }
}

/// The target is reached by a way that breaks while it is written and read.
pub(crate) fn connections_that_break_are_made_again<P: Protocol>(
    target: &RemoteTarget<P>,
    proxy: &Proxy,
) {
    proxy.refuse(2);
    let bytes: Vec<u8> = (0..2_000_000_u32).flat_map(u32::to_le_bytes).collect();
    target.write_bytes(&bytes).unwrap();
    proxy.break_after(3_000_000);
    assert!(target.read_bytes().unwrap() == bytes);
    assert!(proxy.has_broken());
}

/// What is being read when the store goes is read on when it is back.
pub(crate) fn what_breaks_off_is_read_on<P: Protocol>(
    target: &RemoteTarget<P>,
    go_and_come_back: impl FnOnce(),
) {
    // More than waits on the way when the store goes.
    let bytes: Vec<u8> = (0..10_000_000_u32).flat_map(u32::to_le_bytes).collect();
    target.write_bytes(&bytes).unwrap();
    let mut reader = target.reader().unwrap();
    let mut read = vec![0; 1 << 20];
    reader.read_exact(&mut read).unwrap();
    go_and_come_back();
    reader.read_to_end(&mut read).unwrap();
    assert!(read == bytes);
}

/// What is written when the store goes is not there; `tried` says how often it was looked for. What was there
/// before is `old`.
pub(crate) fn what_breaks_off_is_an_error<P: Protocol>(
    target: &RemoteTarget<P>,
    go: impl FnOnce(),
    tried: &str,
) {
    target.write("old").unwrap();
    let mut writer = target.writer().unwrap();
    let block = vec![b'x'; 9 << 20];
    writer.write_all(&block).unwrap();
    go();
    let failed = (0..8).find_map(|_| writer.write_all(&block).err());
    let error = failed.expect("nobody takes what is written");
    let cannot = format!("cannot write {}", target.url());
    assert!(error.to_string().contains(&cannot), "{error}");
    assert!(writer.commit().is_err());
    let said = said(&target.exists().unwrap_err());
    let cannot = format!("cannot look for {}", target.url());
    assert!(said.contains(&cannot) && said.contains(tried), "{said}");
}
