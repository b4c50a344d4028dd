//! HTTP: pages as targets, and their download.

use std::{
    cell::RefCell,
    fs,
    io::{self, Read, Write},
    sync::{Arc, Mutex},
};

use condotta_targets::{
    Download, Downloaded, Format, HttpTarget, LocalTarget, MemoryStore, Progress, ReadWrite,
    Target, UrlTarget,
};

use crate::{
    servers::web::{Page, WebServer},
    suite::said,
};

/// The SHA-256 of [`content`], as Python's hashlib computes it.
const SHA256: &str = "2b32c0e4da7d5e33e8ec894c02e9db3e8f0fdb2216dea663c729e1419a8f6a68";

/// Four megabytes that are alike nowhere.
fn content() -> Vec<u8> {
    (0..1_000_000_u32)
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect()
}

fn page() -> Page {
    Page {
        content: content(),
        etag: Some("\"one\"".to_owned()),
        ..Page::default()
    }
}

fn new(bytes: usize) -> Downloaded {
    let sha256 = SHA256.to_owned();
    Downloaded::New {
        bytes: bytes as u64,
        sha256,
    }
}

#[test]
fn pages_exist_are_read_and_are_not_written() {
    let server = WebServer::start(page());
    let target = HttpTarget::new(server.url());
    assert!(target.exists().unwrap());
    assert_eq!(target.size().unwrap(), 4_000_000);
    assert!(target.read_bytes().unwrap() == content());
    assert_eq!(
        target.read_range(4_000..4_010).unwrap(),
        content()[4_000..4_010]
    );
    assert_eq!(
        target.read_range(3_999_999..5_000_000).unwrap(),
        content()[3_999_999..]
    );
    assert_eq!(target.read_range(4_000_000..4_000_001).unwrap(), b"");

    let missing = HttpTarget::new(format!("http://127.0.0.1:{}/none", server.port));
    assert!(!missing.exists().unwrap());
    assert_eq!(
        missing.read_bytes().unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert_eq!(
        target.write("x").unwrap_err().kind(),
        io::ErrorKind::Unsupported
    );
    let nowhere = HttpTarget::new("data/x").exists().unwrap_err();
    assert!(said(&nowhere).contains("https://place/name"), "{nowhere:?}");
}

#[test]
fn formats_are_read() {
    for (extension, format) in [
        ("gz", Format::Gzip),
        ("bz2", Format::Bzip2),
        ("zst", Format::Zstd),
        ("xz", Format::Xz),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = LocalTarget::new(folder.path().join("x")).format(format);
        file.write("one\ntwo\n").unwrap();
        let server = WebServer::start(Page {
            content: fs::read(file.path()).unwrap(),
            ..Page::default()
        });
        let target = HttpTarget::new(server.url()).format(format);
        assert_eq!(
            target.read_to_string().unwrap(),
            "one\ntwo\n",
            "{extension}"
        );
    }
}

#[test]
fn a_login_is_sent_and_not_shown() {
    let server = WebServer::start(Page {
        // Of `ann:a wrong` the server would have another.
        wants: Some("Basic YW5uOnNlc2FtZQ==".to_owned()),
        ..page()
    });
    let url = server.url().replace("http://", "http://ann:sesame@") + "?sig=sesame";
    let target = HttpTarget::new(url);
    assert!(target.exists().unwrap());
    assert!(!format!("{target} {target:?}").contains("sesame"));
    let stranger = HttpTarget::new(server.url().replace("http://", "http://ann:wrong@"));
    let error = stranger.exists().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    assert!(!said(&error).contains("wrong"), "{error:?}");
}

#[test]
fn a_copy_has_the_name_without_what_follows_it() {
    let server = WebServer::start(page());
    let target = UrlTarget::new(server.url() + "?sig=sesame");
    let copy = target.local_copy().unwrap();
    assert_eq!(copy.path().file_name().unwrap(), "page.bin");
    assert!(fs::read(copy.path()).unwrap() == content());
    let unwanted = target.temporary_path(|path| Ok(fs::write(path, "x")?));
    assert!(unwanted.is_err());
}

#[test]
fn what_breaks_off_goes_on_where_it_did() {
    let server = WebServer::start(Page {
        busy: 2,
        breaks: vec![500_000, 1_000_000, 100],
        ..page()
    });
    let mut bytes = Vec::new();
    let mut reader = HttpTarget::new(server.url()).reader().unwrap();
    reader.read_to_end(&mut bytes).unwrap();
    assert!(bytes == content());
    let ranges: Vec<String> = server.asked();
    assert!(
        ranges
            .iter()
            .any(|asked| asked.contains("range: bytes=") && asked.contains("if-range: \"one\""))
    );
}

/// Lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_tried_again_is_named_without_its_secrets() {
    let server = WebServer::start(Page { busy: 2, ..page() });
    let url = server.url().replace("http://", "http://ann:sesame@") + "?sig=sesame";
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        HttpTarget::new(url).read_bytes().unwrap();
    });
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let place = format!("{}?…", server.url().replace("http://", "http://ann@"));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    for line in lines {
        assert!(line.contains(&format!("{place}: ")), "{said}");
    }
    assert!(!said.contains("sesame"), "{said}");
}

#[test]
fn what_changes_under_its_reader_is_an_error() {
    let server = WebServer::start(Page {
        breaks: vec![500_000],
        later: Some(vec![7; 4_000_000]),
        ..page()
    });
    let mut reader = HttpTarget::new(server.url()).reader().unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_server_that_is_gone_is_an_error() {
    let port = crate::servers::free_port();
    let error = HttpTarget::new(format!("http://127.0.0.1:{port}/x"))
        .exists()
        .unwrap_err();
    assert!(
        said(&error).contains("also when tried 5 times more"),
        "{error:?}"
    );
}

#[test]
fn downloads_are_whole_and_checked() {
    let server = WebServer::start(Page {
        busy: 1,
        breaks: vec![700_000, 900_000],
        ..page()
    });
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("new/x"));
    let seen = RefCell::new(Vec::new());
    let download = Download::new(server.url())
        .sha256(SHA256.to_uppercase())
        .progress(|progress| seen.borrow_mut().push(progress));
    assert_eq!(download.to(&target).unwrap(), new(4_000_000));
    assert!(target.read_bytes().unwrap() == content());
    drop(download);
    let seen = seen.into_inner();
    let percents: Vec<f64> = seen.iter().filter_map(Progress::percent).collect();
    assert!(
        percents.is_sorted() && (20..=101).contains(&percents.len()),
        "{percents:?}"
    );
    assert!((percents[percents.len() - 1] - 100.0).abs() < f64::EPSILON);

    let wrong = Download::new(server.url())
        .sha256("0".repeat(64))
        .to(&target)
        .unwrap_err();
    assert!(said(&wrong).contains(SHA256), "{wrong:?}");
    assert!(target.read_bytes().unwrap() == content());

    let memory = MemoryStore::new();
    let missing = Download::new(format!("http://127.0.0.1:{}/none", server.port));
    let error = missing.to(&memory.target("x")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(memory.names().is_empty());
}

#[test]
fn a_checksum_that_is_none_is_refused_before_anything_is_asked_for() {
    let server = WebServer::start(page());
    let target = MemoryStore::new().target("x");
    for digits in ["abc", "", &SHA256[1..], &SHA256.replace('2', "g")] {
        let download = Download::new(server.url()).sha256(digits);
        let error = download.to(&target).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(said(&error).contains("64 hexadecimal digits"), "{error:?}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn what_cannot_be_written_is_named() {
    let server = WebServer::start(page());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let below = folder.path().join("file/x");
    let named = format!("cannot write {}", below.display());
    let target = LocalTarget::new(&below);
    let error = Download::new(server.url()).to(&target).unwrap_err();
    assert!(said(&error).contains(&named), "{error:?}");
    let target = LocalTarget::new(folder.path().join("x"));
    let download = Download::new(server.url()).partial(&below);
    let error = download.to(&target).unwrap_err();
    assert!(said(&error).contains(&named), "{error:?}");
}

#[test]
fn content_that_changes_is_downloaded_from_its_start() {
    let later = content();
    let server = WebServer::start(Page {
        content: vec![7; 4_000_000],
        breaks: vec![500_000],
        later: Some(later.clone()),
        ..page()
    });
    let target = MemoryStore::new().target("x");
    assert_eq!(
        Download::new(server.url()).to(&target).unwrap(),
        new(4_000_000)
    );
    assert!(target.read_bytes().unwrap() == later);
}

#[test]
fn without_etag_or_ranges_a_broken_download_begins_anew() {
    for page in [
        Page {
            etag: None,
            ..page()
        },
        Page {
            whole_only: true,
            ..page()
        },
    ] {
        let server = WebServer::start(Page {
            breaks: vec![500_000],
            ..page
        });
        let target = MemoryStore::new().target("x");
        assert_eq!(
            Download::new(server.url()).to(&target).unwrap(),
            new(4_000_000)
        );
        assert!(target.read_bytes().unwrap() == content());
    }
}

#[test]
fn what_is_unchanged_is_not_downloaded_again() {
    let server = WebServer::start(page());
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("x"));
    let download = Download::new(server.url()).unless_unchanged(folder.path().join("x.note"));
    assert_eq!(download.to(&target).unwrap(), new(4_000_000));
    assert_eq!(download.to(&target).unwrap(), Downloaded::Unchanged);
    assert!(server.asked()[1].contains("if-none-match: \"one\""));
    // Without the target it is needed, whatever is known of it.
    target.remove().unwrap();
    assert_eq!(download.to(&target).unwrap(), new(4_000_000));
    server.change(|page| {
        page.etag = Some("\"two\"".to_owned());
        page.content = b"changed".to_vec();
    });
    assert!(matches!(
        download.to(&target).unwrap(),
        Downloaded::New { bytes: 7, .. }
    ));
    assert_eq!(target.read_to_string().unwrap(), "changed");
}

#[test]
fn without_an_etag_the_time_of_change_tells_what_is_unchanged() {
    const MONDAY: &str = "Mon, 23 Nov 2026 08:00:00 GMT";
    let server = WebServer::start(Page {
        etag: None,
        last_modified: Some(MONDAY.to_owned()),
        breaks: vec![1_500_000],
        ..page()
    });
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("x"));
    let download = Download::new(server.url()).unless_unchanged(folder.path().join("x.note"));
    assert_eq!(download.to(&target).unwrap(), new(4_000_000));
    assert!(server.asked()[1].contains(&format!("if-range: {MONDAY}")));
    assert!(target.read_bytes().unwrap() == content());
    assert_eq!(download.to(&target).unwrap(), Downloaded::Unchanged);
    assert!(server.asked()[0].contains(&format!("if-modified-since: {MONDAY}")));
    server.change(|page| {
        page.last_modified = Some("Tue, 24 Nov 2026 08:00:00 GMT".to_owned());
        page.content = b"changed".to_vec();
    });
    download.to(&target).unwrap();
    assert_eq!(target.read_to_string().unwrap(), "changed");
}

#[test]
fn the_next_attempt_goes_on_with_what_is_there() {
    let server = WebServer::start(Page {
        // The attempts to go on fail, too.
        breaks: [vec![1_500_000], vec![1; 6]].concat(),
        ..page()
    });
    let folder = tempfile::tempdir().unwrap();
    let partial = folder.path().join("parts/x.part");
    let target = LocalTarget::new(folder.path().join("x"));
    let download = Download::new(server.url()).partial(&partial).sha256(SHA256);
    download.to(&target).unwrap_err();
    assert!(!target.exists().unwrap());
    let there = fs::metadata(&partial).unwrap().len();
    assert!((1_000_000..1_500_000).contains(&there), "{there}");

    server.asked();
    assert_eq!(download.to(&target).unwrap(), new(4_000_000));
    assert!(server.asked()[0].contains(&format!("range: bytes={there}-")));
    assert!(target.read_bytes().unwrap() == content());
    assert_eq!(
        fs::read_dir(folder.path().join("parts")).unwrap().count(),
        0
    );
}

#[test]
fn what_is_there_of_another_content_is_not_gone_on_with() {
    let server = WebServer::start(page());
    let folder = tempfile::tempdir().unwrap();
    let partial = folder.path().join("x.part");
    let target = LocalTarget::new(folder.path().join("x"));
    fs::write(&partial, "rubbish without a note").unwrap();
    let download = Download::new(server.url()).partial(&partial);
    assert_eq!(download.to(&target).unwrap(), new(4_000_000));
    assert!(target.read_bytes().unwrap() == content());
}
