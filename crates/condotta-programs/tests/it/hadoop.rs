//! The command lines of Hadoop's jobs, seen by a stand-in for `hadoop`. A jar on a real one is in `tests/hadoop`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use condotta_programs::{
    Detached, Ended,
    hadoop::{HadoopJob, HadoopSettings},
};

use crate::wait_for;

/// Notes what it is called with, one call a line.
struct StandIn(tempfile::TempDir);

impl StandIn {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let note = "echo \"$(basename \"$0\") $*\" >> \"$(dirname \"$0\")/calls\"";
        for program in ["hadoop", "mapred", "yarn"] {
            let path = folder.path().join(program);
            fs::write(&path, format!("#!/bin/sh\n{note}\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder)
    }

    fn settings(&self) -> HadoopSettings {
        // A shell reads the script: a process that was just forked elsewhere may hold it open.
        let hadoop = self.path("hadoop").display().to_string();
        HadoopSettings {
            command: vec!["sh".to_owned(), hadoop],
            streaming_jar: Some("/opt/streaming.jar".to_owned()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The calls, with the process id in temporary names left out.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let id = format!("{:010}", std::process::id());
        calls.lines().map(|call| call.replace(&id, "N")).collect()
    }
}

#[test]
fn streaming_has_its_options_and_its_output_gets_its_name_at_the_end() {
    let (hadoop, attempt) = (StandIn::new(""), Detached::default());
    HadoopJob::streaming("map.py", "reduce.py --sum", &attempt, hadoop.settings())
        .unwrap()
        .conf("mapreduce.job.reduces", 3)
        .files(["map.py", "reduce.py"])
        .combiner("reduce.py")
        .input("/in/1")
        .input("/in/2")
        .output("/out/sums/")
        .run()
        .unwrap();
    assert_eq!(
        hadoop.calls(),
        [
            "hadoop jar /opt/streaming.jar -D mapreduce.job.reduces=3 -files map.py,reduce.py \
             -mapper map.py -reducer reduce.py --sum -combiner reduce.py -input /in/1 -input /in/2 \
             -output /out/sums-luigi-tmp-N",
            "hadoop fs -mv /out/sums-luigi-tmp-N /out/sums",
        ]
    );
    let settings = HadoopSettings::default();
    let none = HadoopJob::streaming("a", "b", &attempt, settings);
    assert!(none.unwrap_err().to_string().contains("streaming-jar"));
}

#[test]
fn a_jar_that_fails_leaves_no_output_and_is_heard() {
    let script = "[ \"$1\" = fs ] && exit 0
        echo 'INFO mapreduce.Job: The url to track the job: http://rm:8088/proxy/application_1_2/' >&2
        echo 'INFO mapreduce.Job: Running job: job_1_2' >&2
        echo 'INFO mapreduce.Job:  map 50% reduce 10%' >&2
        exit 3";
    let (hadoop, attempt) = (StandIn::new(script), Detached::default());
    let error = HadoopJob::jar("app.jar", &attempt, hadoop.settings())
        .class("com.example.Main")
        .lib_jars(["a.jar", "b.jar"])
        .arg("/in")
        .output_arg("/out")
        .run()
        .unwrap_err();
    assert_eq!(error.failure().unwrap().ended, Ended::Code(3));
    assert_eq!(
        attempt.tracking_url().unwrap(),
        "http://rm:8088/proxy/application_1_2/"
    );
    assert_eq!(attempt.status_message().unwrap(), "Hadoop job job_1_2");
    assert_eq!(attempt.progress_percentage(), Some(30.0));
    assert_eq!(
        hadoop.calls(),
        [
            "hadoop jar app.jar com.example.Main -libjars a.jar,b.jar /in /out-luigi-tmp-N",
            "hadoop fs -rm -r -f /out-luigi-tmp-N",
        ]
    );
}

#[test]
fn a_run_that_is_to_stop_cleans_up() {
    let script = "[ \"$1\" = fs ] && exit 0; echo started; sleep 1000";
    let (hadoop, attempt) = (StandIn::new(script), Detached::default());
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let job = HadoopJob::jar("app.jar", &attempt, hadoop.settings());
            job.output_arg("/out").run()
        });
        wait_for("it runs", || attempt.stdout() == "started\n");
        attempt.stop();
        let error = run.join().unwrap().unwrap_err();
        assert_eq!(error.failure().unwrap().ended, Ended::Stopped);
    });
    assert_eq!(
        hadoop.calls()[1..],
        ["hadoop fs -rm -r -f /out-luigi-tmp-N"]
    );
}
