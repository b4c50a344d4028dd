//! The task that downloads, run as any other, from a web server of the test.

use condotta::{BuildOptions, download::Download};
use condotta_test_servers::stores::web::{Page, WebServer};

#[test]
fn it_downloads_once_and_goes_on_with_what_a_failed_run_left() {
    let content: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let server = WebServer::start(Page {
        content: content.clone(),
        etag: Some("\"one\"".to_owned()),
        // The first run fails half way, with all that it tries again.
        breaks: [vec![1_500_000], vec![1; 6]].concat(),
        ..Page::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("new/page.bin");
    let task = || {
        Download::from(server.url())
            .to(to.to_str().unwrap())
            .partial(folder.path().join("part").to_str().unwrap())
    };
    let run = || {
        let options = BuildOptions::new().local_scheduler();
        condotta::build(task(), options).unwrap()
    };
    assert!(!run().succeeded());
    assert!(!to.exists());
    server.asked();
    assert!(run().succeeded());
    assert!(std::fs::read(&to).unwrap() == content);
    let asked = server.asked();
    assert!(asked[0].contains("range: bytes="), "{asked:?}");

    assert!(run().succeeded());
    assert!(server.asked().is_empty());
}
