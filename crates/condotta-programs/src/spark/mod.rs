//! Applications for Spark, submitted by `spark-submit` and followed to their end.
//!
//! What Spark says on the way becomes the run's tracking URL, status message and progress. The driver is a
//! program as any other: it ends with the run, and in client mode the application ends with it.

mod options;
mod said;

use std::{ffi::OsString, fmt, time::Duration};

use condotta_targets::ReadWrite;

use options::Options;
pub use options::SparkOptionError;
use said::Said;

use crate::{Argument, Attempt, Program, ProgramError};

/// One application: a jar or a Python file, with the options of `spark-submit`.
///
/// Options that are not set here come from the settings, section `[spark]` of the configuration.
///
/// The driver runs on this machine (deploy mode `client`) unless another mode is set. Then it is in
/// the cluster, and only its submission ends with the run: `spark.yarn.submit.waitAppCompletion` and the
/// like are the cluster's affair.
#[must_use = "nothing happens before `run`"]
pub struct SparkSubmit<'a> {
    program: Program<'a>,
    attempt: &'a dyn Attempt,
    options: Options,
    app: OsString,
    arguments: Vec<OsString>,
}

macro_rules! options {
    ($($(#[doc = $doc:literal])+ $method:ident $name:literal;)*) => {$(
        $(#[doc = $doc])+
        pub fn $method(mut self, value: impl Argument) -> Self {
            self.options.set($name, &value.to_argument().to_string_lossy());
            self
        }
    )*};
}

macro_rules! lists {
    ($($(#[doc = $doc:literal])+ $method:ident $name:literal;)*) => {$(
        $(#[doc = $doc])+
        pub fn $method<A: Argument>(mut self, values: impl IntoIterator<Item = A>) -> Self {
            let values = values.into_iter().map(|value| value.to_argument());
            let texts: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
            self.options.set($name, &texts.join(","));
            self
        }
    )*};
}

impl<'a> SparkSubmit<'a> {
    /// An application in a run, with settings: pairs of an option's name, as in `executor-memory`, and its
    /// value, as in the configuration (lists with commas, `conf` as `name=value|name=value`).
    ///
    /// # Errors
    /// There is no such option.
    pub fn new(
        app: impl Argument,
        attempt: &'a dyn Attempt,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SparkOptionError> {
        let mut options = Options::default();
        for (name, value) in settings {
            options.configure(&name, &value)?;
        }
        let command = options.get("spark-submit").unwrap_or("spark-submit");
        Ok(Self {
            program: Program::new(command, attempt),
            attempt,
            options,
            app: app.to_argument(),
            arguments: Vec::new(),
        })
    }

    options! {
        /// The address of the cluster: `local[2]`, `spark://host:7077`, `yarn`.
        master "master";
        /// Where the driver runs: `client`, which is here, or `cluster`.
        deploy_mode "deploy-mode";
        /// The name that Spark shows.
        name "name";
        /// The class with `main`, for a jar.
        class "class";
        /// A file with Spark's properties.
        properties_file "properties-file";
        /// The driver's memory, such as `2g`.
        driver_memory "driver-memory";
        /// Options for the driver's Java.
        driver_java_options "driver-java-options";
        /// Where the driver looks for libraries.
        driver_library_path "driver-library-path";
        /// Where the driver looks for classes.
        driver_class_path "driver-class-path";
        /// The memory of one executor, such as `2g`.
        executor_memory "executor-memory";
        /// The driver's number of cores.
        driver_cores "driver-cores";
        /// The number of cores of all executors together.
        total_executor_cores "total-executor-cores";
        /// The number of cores of one executor.
        executor_cores "executor-cores";
        /// YARN's queue.
        queue "queue";
        /// The number of executors.
        num_executors "num-executors";
        /// The folder of Hadoop's configuration.
        hadoop_conf_dir "hadoop-conf-dir";
        /// The user to be on Hadoop.
        hadoop_user_name "hadoop-user-name";
        /// The Python of the executors and, unless it has its own, of the driver.
        pyspark_python "pyspark-python";
        /// The Python of the driver.
        pyspark_driver_python "pyspark-driver-python";
    }

    lists! {
        /// Jars for driver and executors.
        jars "jars";
        /// Maven coordinates of jars for driver and executors.
        packages "packages";
        /// Python files, zips and eggs for the executors' module path.
        py_files "py-files";
        /// Files for the executors' working folders.
        files "files";
        /// Archives to be unpacked in the executors' working folders.
        archives "archives";
    }

    /// One of Spark's own properties. It comes before the settings' of the same name.
    pub fn conf(mut self, name: &str, value: impl Argument) -> Self {
        let value = value.to_argument();
        self.options.set_conf(name, &value.to_string_lossy());
        self
    }

    /// Has the driver started again when it fails, where the cluster can.
    pub fn supervise(mut self) -> Self {
        self.options.set("supervise", "true");
        self
    }

    /// Adds an argument of the application.
    pub fn arg(mut self, argument: impl Argument) -> Self {
        self.arguments.push(argument.to_argument());
        self
    }

    /// Adds several.
    pub fn args<A: Argument>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.to_argument()));
        self
    }

    /// Sets an environment variable of `spark-submit` and, in client mode, of the driver.
    pub fn env(self, name: &str, value: impl Argument) -> Self {
        self.on_program(|program| program.env(name, value))
    }

    /// Writes what the driver prints to its standard output into a target, all or nothing.
    pub fn stdout(self, target: &impl ReadWrite) -> Self {
        self.on_program(|program| program.stdout(target))
    }

    /// The longest time that the application may take.
    pub fn timeout(self, limit: Duration) -> Self {
        self.on_program(|program| program.timeout(limit))
    }

    /// How long the driver has to end after SIGTERM. Five seconds by default.
    pub fn grace(self, grace: Duration) -> Self {
        self.on_program(|program| program.grace(grace))
    }

    /// Hides a text in what is shown.
    pub fn secret(self, secret: impl AsRef<str>) -> Self {
        self.on_program(|program| program.secret(secret))
    }

    /// Submits the application and waits for its end.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run(self) -> Result<(), ProgramError> {
        self.into_program().run()
    }

    /// The command, with somebody who listens to what Spark says.
    fn into_program(self) -> Program<'a> {
        let mut program = self.program.args(self.options.arguments());
        for (name, value) in self.options.environment() {
            program = program.env(name, value);
        }
        let mut said = Said::new(self.attempt);
        program
            .arg(self.app)
            .args(self.arguments)
            .on_line(move |_, line| said.hear(line))
    }

    fn on_program(self, change: impl FnOnce(Program<'a>) -> Program<'a>) -> Self {
        Self {
            program: change(self.program),
            ..self
        }
    }
}

impl fmt::Debug for SparkSubmit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparkSubmit")
            .field("app", &self.app)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
