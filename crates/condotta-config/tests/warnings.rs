//! What Luigi warns of is warned of, and once.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use condotta_config::{Config, Places};
use tracing_subscriber::fmt::MakeWriter;

/// What is logged while `action` runs.
fn log_of(action: impl FnOnce()) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    tracing::subscriber::with_default(subscriber, action);
    let bytes = log.0.lock().expect("not poisoned").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn keys_with_dashes_are_found_and_warned_of_once() {
    let config: Config = "[core]\nlog-level = INFO\nworkers = 2\n"
        .parse()
        .expect("parses");
    let log = log_of(|| {
        for _ in 0..3 {
            let level = config.get_text("core", "log_level").expect("reads");
            assert_eq!(level.as_deref(), Some("INFO"));
            assert_eq!(
                config.get_int("core", "workers").expect("a number"),
                Some(2)
            );
        }
    });
    let warning = "Configuration [core] log-level (with dashes) should be avoided. \
                   Please use underscores: log_level.";
    assert_eq!(log.matches(warning).count(), 1, "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn old_file_names_and_missing_files_are_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("client.cfg"), "[a]\nx = 1\n").expect("written");
    let places = Places {
        system: PathBuf::from("/nonexistent"),
        current: folder.path().to_owned(),
        environment: Arc::new(|name| (name == "LUIGI_CONFIG_PATH").then(|| "gone.cfg".to_owned())),
    };
    let log = log_of(|| {
        let config = places.load().expect("loads");
        assert_eq!(config.get_int("a", "x").expect("a number"), Some(1));
    });
    assert!(log.contains("'client.cfg' are deprecated"), "{log}");
    assert!(log.contains("Config file does not exist"), "{log}");
    assert_eq!(log.lines().count(), 2, "{log}");
}

/// Lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
