//! One suite of behaviour over every target with content, in every format.

use std::{
    io::{self, Read, Write},
    panic::{self, AssertUnwindSafe},
};

use condotta_targets::{Format, ReadWrite, TargetError};

pub(crate) const FORMATS: [Format; 5] = [
    Format::Plain,
    Format::Gzip,
    Format::Bzip2,
    Format::Zstd,
    Format::Xz,
];

/// Awkward names: a space, no ASCII, a parent that is not there, a bracket, a dash in front.
const NAMES: [&str; 5] = [
    "a file",
    "größe/世界.txt",
    "no/such/parent",
    "x[1]{2}*?",
    "-n",
];

/// Runs the suite over targets of fresh names.
pub(crate) fn suite<T: ReadWrite>(make: impl Fn(&str) -> T) {
    for name in NAMES {
        reads_back_what_was_written(&make(name));
    }
    streams_and_lines(&make("stream"));
    is_there_only_after_commit(&make("commit"));
    stays_as_it_was_when_filling_fails(&make("fails"));
    reads_values(&make("values"));
    names_itself_when_it_is_missing(&make("missing"));
    holds_large_content(&make("large"));
}

fn reads_back_what_was_written(target: &impl ReadWrite) {
    assert!(!target.exists().unwrap(), "{target}");
    target.write("first, and longer").unwrap();
    assert!(target.exists().unwrap());
    assert_eq!(target.read_to_string().unwrap(), "first, and longer");
    target.write(21).unwrap();
    assert_eq!(target.read_bytes().unwrap(), b"21");
    let bytes: Vec<u8> = (0..=255).collect();
    target.write_bytes(&bytes).unwrap();
    assert_eq!(target.read_bytes().unwrap(), bytes);
    target.write("").unwrap();
    assert!(target.exists().unwrap());
    assert_eq!(target.read_to_string().unwrap(), "");
    assert_eq!(target.lines().unwrap().count(), 0);
}

fn streams_and_lines(target: &impl ReadWrite) {
    let written = target
        .write_with(|writer| {
            for line in ["one", "", "drei ü"] {
                writeln!(writer, "{line}")?;
                writer.flush()?;
            }
            write!(writer, "dos\r\nlast")?;
            Ok(5)
        })
        .unwrap();
    assert_eq!(written, 5);
    let lines: Vec<String> = target.lines().unwrap().map(Result::unwrap).collect();
    assert_eq!(lines, ["one", "", "drei ü", "dos", "last"]);
    let mut start = [0; 5];
    target.reader().unwrap().read_exact(&mut start).unwrap();
    assert_eq!(&start, b"one\n\n");
}

fn is_there_only_after_commit(target: &impl ReadWrite) {
    let mut writer = target.writer().unwrap();
    writer.write_all(b"new").unwrap();
    writer.flush().unwrap();
    assert!(!target.exists().unwrap());
    drop(writer);
    assert!(!target.exists().unwrap());
    let mut writer = target.writer().unwrap();
    writer.write_all(b"new").unwrap();
    writer.close().unwrap();
    assert_eq!(target.read_to_string().unwrap(), "new");
}

fn stays_as_it_was_when_filling_fails(target: &impl ReadWrite) {
    target.write("old").unwrap();
    let error = target
        .write_with(|writer| -> Result<(), _> {
            writer.write_all(b"half")?;
            Err("no more data".into())
        })
        .unwrap_err();
    assert_eq!(error.to_string(), format!("cannot fill {target}"));
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "no more data");
    assert_eq!(target.read_to_string().unwrap(), "old");

    let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
        target.write_with(|writer| -> Result<(), _> {
            writer.write_all(b"half")?;
            panic::resume_unwind(Box::new("no more"))
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(target.read_to_string().unwrap(), "old");
}

fn reads_values(target: &impl ReadWrite) {
    target.write(" -7\n").unwrap();
    assert_eq!(target.read::<i64>().unwrap(), -7);
    assert_eq!(target.read::<String>().unwrap(), " -7\n");
    target.write(1.5).unwrap();
    assert_eq!(target.read::<f64>().unwrap().to_bits(), 1.5_f64.to_bits());
    let error = target.read::<i64>().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot read {target} as i64, its content is \"1.5\"")
    );
    assert!(std::error::Error::source(&error).is_some());
    target.write_bytes(b"caf\xe9").unwrap();
    let error = target.read_to_string().unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
    assert_eq!(target.read_bytes().unwrap(), b"caf\xe9");
}

fn names_itself_when_it_is_missing(target: &impl ReadWrite) {
    for error in [
        target.reader().map(drop).unwrap_err(),
        target.read_to_string().map(drop).unwrap_err(),
        target.lines().map(drop).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), format!("cannot read {target}"));
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(matches!(error, TargetError::Io { .. }));
    }
}

fn holds_large_content(target: &impl ReadWrite) {
    let bytes: Vec<u8> = (0..300_000_u32)
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect();
    target.write_bytes(&bytes).unwrap();
    assert!(target.read_bytes().unwrap() == bytes);
}
