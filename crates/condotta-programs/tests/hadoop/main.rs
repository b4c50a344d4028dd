//! A jar on Hadoop's own client, which runs the job in its process and keeps its files on this machine. There is no
//! cluster, and no jar for streaming.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use condotta_programs::{
    Detached, Ended, ProgramError,
    hadoop::{HadoopJob, HadoopSettings},
};
use tempfile::TempDir;

/// What the script `hadoop` of Hadoop's distribution does, of which only the jars are here.
const HADOOP: &str = r#"
case "$1" in
    jar) class=org.apache.hadoop.util.RunJar ;;
    fs) class=org.apache.hadoop.fs.FsShell ;;
esac
shift
opened="java.lang java.net java.nio java.util"
for package in $opened; do options="$options --add-opens java.base/$package=ALL-UNNAMED"; done
exec java $options -Xmx256m -cp "$(dirname "$0"):$CONDOTTA_HADOOP/*" $class "$@"
"#;

const LOG: &str = "log4j.rootLogger=INFO,out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n\
    log4j.appender.out.target=System.err\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n";

/// The program, and the jar with the job.
struct Hadoop(TempDir);

static HADOOP_HERE: LazyLock<Hadoop> = LazyLock::new(|| {
    let jars = env::var("CONDOTTA_HADOOP");
    let jars = jars.expect("CONDOTTA_HADOOP has the jars: see cargo xtask test spark");
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("hadoop"), HADOOP).unwrap();
    fs::write(place("log4j.properties"), LOG).unwrap();
    fs::write(place("core-site.xml"), "<configuration/>").unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hadoop/WordCount.java");
    let mut compile = Command::new("javac");
    compile.args(["--release", "8", "-Xlint:-options", "-cp"]);
    compile.arg(format!("{jars}/*")).arg("-d");
    must(compile.arg(place("classes")).arg(source));
    let mut pack = Command::new("jar");
    pack.arg("cf").arg(place("words.jar")).arg("-C");
    must(pack.arg(place("classes")).arg("."));
    Hadoop(folder)
});

fn must(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

/// A folder with a text, in which the job is run.
struct Place(TempDir);

impl Place {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("text"), text).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, attempt: &Detached) -> Result<(), ProgramError> {
        let Hadoop(folder) = &*HADOOP_HERE;
        let hadoop = folder.path().join("hadoop").display().to_string();
        let settings = HadoopSettings {
            command: vec!["sh".to_owned(), hadoop],
            streaming_jar: None,
        };
        HadoopJob::jar(folder.path().join("words.jar"), attempt, settings)
            .class("WordCount")
            .conf("test.factor", 10)
            .conf("hadoop.tmp.dir", self.path("hadoop"))
            .arg(self.path("text"))
            .output_arg(self.path("counts").to_str().unwrap())
            .run()
    }

    /// The names in the folder, but for Hadoop's own.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "hadoop")
            .collect();
        names.sort_unstable();
        names
    }
}

#[test]
fn a_jar_runs_is_heard_and_its_output_gets_its_name() {
    let place = Place::with("a b a\nc a b\n");
    let attempt = Detached::default();
    place.run(&attempt).unwrap();
    let counts = fs::read_to_string(place.path("counts/part-r-00000")).unwrap();
    assert_eq!(counts, "a\t30\nb\t20\nc\t10\n");
    assert!(place.path("counts/_SUCCESS").exists());
    assert_eq!(place.names(), ["counts", "text"]);
    let status = attempt.status_message().unwrap();
    assert!(status.starts_with("Hadoop job job_local"), "{status}");
    assert_eq!(attempt.progress_percentage(), Some(100.0));
    assert!(attempt.tracking_url().unwrap().starts_with("http://"));
}

#[test]
fn a_job_that_fails_leaves_nothing() {
    let place = Place::with("a\nfail\n");
    let attempt = Detached::default();
    let error = place.run(&attempt).unwrap_err();
    assert_eq!(error.failure().unwrap().ended, Ended::Code(1));
    assert!(attempt.stderr().contains("a word that fails"));
    assert_eq!(place.names(), ["text"]);
}

#[test]
fn a_job_that_is_to_stop_ends_and_leaves_nothing() {
    let place = Place::with("hang\n");
    let attempt = Detached::default();
    thread::scope(|scope| {
        let run = scope.spawn(|| place.run(&attempt));
        let deadline = Instant::now() + Duration::from_secs(120);
        while !attempt.stderr().contains("Starting task: attempt_local") {
            let goes_on = !run.is_finished() && Instant::now() < deadline;
            assert!(goes_on, "{}", attempt.stderr());
            thread::sleep(Duration::from_millis(20));
        }
        attempt.stop();
        let error = run.join().unwrap().unwrap_err();
        assert_eq!(error.failure().unwrap().ended, Ended::Stopped);
    });
    assert_eq!(place.names(), ["text"]);
}
