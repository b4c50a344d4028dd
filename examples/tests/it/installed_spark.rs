//! The Spark of the tests: where it is, and how a program is told.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Spark in a Python's library.
pub(crate) struct Spark {
    python: String,
    home: PathBuf,
}

impl Spark {
    /// The one that the test command installed.
    pub(crate) fn find() -> Self {
        let python = std::env::var("CONDOTTA_SPARK_PYTHON");
        let python = python.expect(
            "CONDOTTA_SPARK_PYTHON names a Python with pyspark; `cargo xtask test spark` has one",
        );
        let library = Path::new(&python)
            .ancestors()
            .nth(2)
            .expect("it is in a bin")
            .join("lib");
        let versions = std::fs::read_dir(&library).expect("an environment has a library");
        let mut homes = versions
            .flatten()
            .map(|version| version.path().join("site-packages/pyspark"));
        let home = homes.find(|home| home.is_dir()).expect("pyspark is there");
        Self { python, home }
    }

    /// The section of the configuration.
    pub(crate) fn settings(&self) -> String {
        format!(
            "[spark]\nspark-submit = {}\nmaster = local[2]\nconf = spark.ui.port=0\npyspark-python = {}\n",
            self.home.join("bin/spark-submit").display(),
            self.python,
        )
    }

    /// Gives a program what Spark wants in its environment.
    pub(crate) fn set_environment(&self, command: &mut Command) {
        command
            .env("SPARK_HOME", &self.home)
            .env("PYSPARK_PYTHON", &self.python)
            .env("SPARK_LOCAL_IP", "127.0.0.1");
    }
}
