//! Engines that a run hands its work to, with their sections of the configuration.

use std::path::PathBuf;

use condotta_programs::{
    Argument,
    hadoop::{HadoopJob, HadoopSettings},
    slurm::{SlurmJob, SlurmSettings},
    spark::SparkSubmit,
};

use crate::{
    Result,
    prelude::{Config, Task},
    task::{Config as _, Run},
};

/// How applications are submitted to Spark.
#[derive(Config)]
#[config(section = "spark")]
struct Spark {
    /// The command that submits.
    #[param(default = "spark-submit")]
    spark_submit: String,
    /// The address of the cluster.
    master: Option<String>,
    /// Where the driver runs: client (here) or cluster.
    deploy_mode: Option<String>,
    /// Jars for driver and executors, with commas.
    jars: Option<String>,
    /// Maven coordinates of jars, with commas.
    packages: Option<String>,
    /// Python files, zips and eggs for the executors, with commas.
    py_files: Option<String>,
    /// Files for the executors' working folders, with commas.
    files: Option<String>,
    /// Archives to be unpacked there, with commas.
    archives: Option<String>,
    /// Spark's properties: name=value|name=value.
    conf: Option<String>,
    /// A file with Spark's properties.
    properties_file: Option<String>,
    /// The driver's memory.
    driver_memory: Option<String>,
    /// Options for the driver's Java.
    driver_java_options: Option<String>,
    /// Where the driver looks for libraries.
    driver_library_path: Option<String>,
    /// Where the driver looks for classes.
    driver_class_path: Option<String>,
    /// The memory of one executor.
    executor_memory: Option<String>,
    /// The driver's number of cores.
    driver_cores: Option<String>,
    /// Whether the driver is started again when it fails.
    supervise: Option<String>,
    /// The number of cores of all executors together.
    total_executor_cores: Option<String>,
    /// The number of cores of one executor.
    executor_cores: Option<String>,
    /// YARN's queue.
    queue: Option<String>,
    /// The number of executors.
    num_executors: Option<String>,
    /// The folder of Hadoop's configuration.
    hadoop_conf_dir: Option<String>,
    /// The user to be on Hadoop.
    hadoop_user_name: Option<String>,
    /// The Python of driver and executors.
    pyspark_python: Option<String>,
    /// The Python of the driver.
    pyspark_driver_python: Option<String>,
}

impl Spark {
    /// What is set, by the names of `spark-submit`.
    fn settings(self) -> Vec<(String, String)> {
        let values = [
            ("spark-submit", Some(self.spark_submit)),
            ("master", self.master),
            ("deploy-mode", self.deploy_mode),
            ("jars", self.jars),
            ("packages", self.packages),
            ("py-files", self.py_files),
            ("files", self.files),
            ("archives", self.archives),
            ("conf", self.conf),
            ("properties-file", self.properties_file),
            ("driver-memory", self.driver_memory),
            ("driver-java-options", self.driver_java_options),
            ("driver-library-path", self.driver_library_path),
            ("driver-class-path", self.driver_class_path),
            ("executor-memory", self.executor_memory),
            ("driver-cores", self.driver_cores),
            ("supervise", self.supervise),
            ("total-executor-cores", self.total_executor_cores),
            ("executor-cores", self.executor_cores),
            ("queue", self.queue),
            ("num-executors", self.num_executors),
            ("hadoop-conf-dir", self.hadoop_conf_dir),
            ("hadoop-user-name", self.hadoop_user_name),
            ("pyspark-python", self.pyspark_python),
            ("pyspark-driver-python", self.pyspark_driver_python),
        ];
        let set = values.into_iter();
        set.filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

/// How jobs are submitted to Hadoop.
#[derive(Config)]
#[config(section = "hadoop")]
struct Hadoop {
    /// The command, perhaps with arguments.
    #[param(default = "hadoop")]
    command: String,
    /// The jar of streaming.
    streaming_jar: Option<String>,
}

impl Hadoop {
    fn settings(self) -> HadoopSettings {
        let words = self.command.split_whitespace();
        HadoopSettings {
            command: words.map(str::to_owned).collect(),
            streaming_jar: self.streaming_jar,
        }
    }
}

/// How jobs are submitted to Slurm.
#[derive(Config)]
#[config(section = "slurm")]
struct Slurm {
    /// The folder with what is known of jobs. All nodes have to see it at the same path.
    #[param(default = "slurm-jobs")]
    folder: PathBuf,
    /// How many seconds an answer of Slurm about the jobs of this process holds.
    #[param(default = 5.0)]
    interval: f64,
    /// Options of sbatch for all jobs, separated by blanks.
    #[param(default = "")]
    options: String,
}

impl<T: Task> Run<'_, T> {
    /// An application for Spark: a jar or a Python file; see [`SparkSubmit`]. What is not said here comes
    /// from section `[spark]` of the configuration.
    ///
    /// ```
    /// use condotta::prelude::*;
    ///
    /// /// Counts words with Spark.
    /// #[derive(Task)]
    /// struct CountWords {
    ///     text: String,
    /// }
    ///
    /// #[task]
    /// impl Task for CountWords {
    ///     fn output(&self) -> LocalTarget {
    ///         LocalTarget::new(format!("{}.counts", self.text))
    ///     }
    ///
    ///     fn run(&self, run: &Run<Self>) -> Result<()> {
    ///         let spark = run.spark("count_words.py")?.arg(&self.text).executor_memory("2g");
    ///         Ok(spark.stdout(&run.output()).run()?)
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The configuration makes no sense.
    pub fn spark(&self, app: impl Argument) -> Result<SparkSubmit<'_>> {
        Ok(SparkSubmit::new(app, self, Spark::get()?.settings())?)
    }

    /// A job of Hadoop that is a jar; see [`HadoopJob`]. What is not said here comes from section `[hadoop]` of
    /// the configuration.
    ///
    /// # Errors
    /// The configuration makes no sense.
    pub fn hadoop_jar(&self, jar: impl Argument) -> Result<HadoopJob<'_>> {
        Ok(HadoopJob::jar(jar, self, Hadoop::get()?.settings()))
    }

    /// A job of Hadoop whose mapper and reducer are programs; see [`HadoopJob`].
    ///
    /// # Errors
    /// The configuration names no jar for streaming, or makes no sense.
    pub fn hadoop_streaming(
        &self,
        mapper: impl Argument,
        reducer: impl Argument,
    ) -> Result<HadoopJob<'_>> {
        let settings = Hadoop::get()?.settings();
        Ok(HadoopJob::streaming(mapper, reducer, self, settings)?)
    }

    /// A program as a job of Slurm; see [`SlurmJob`]. The folder for what is known of jobs is in section
    /// `[slurm]` of the configuration.
    ///
    /// # Errors
    /// The configuration makes no sense.
    pub fn slurm(&self, program: impl Argument) -> Result<SlurmJob<'_>> {
        let slurm = Slurm::get()?;
        let interval = std::time::Duration::try_from_secs_f64(slurm.interval)?;
        let options = slurm.options.split_whitespace();
        let settings = SlurmSettings {
            folder: slurm.folder,
            interval,
            options: options.map(str::to_owned).collect(),
        };
        Ok(SlurmJob::new(program, self, settings))
    }
}
