//! Jobs of Hadoop: a jar, or a map and a reduce that are programs (streaming), called by `hadoop jar`.
//!
//! What Hadoop says becomes the run's tracking URL, status and progress. The output gets its name when the
//! job has ended well. Jars are tested on Hadoop's own client, streaming as command lines; a cluster is untested.

use std::{
    ffi::OsString,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{Argument, Attempt, Program, ProgramError, Stream};

/// So long Hadoop has to remove what a failed job leaves.
const CLEAN_UP: Duration = Duration::from_secs(60);

/// What all jobs of a program have in common: section `[hadoop]` of the configuration.
#[derive(Clone, Debug)]
pub struct HadoopSettings {
    /// The command with its first arguments.
    pub command: Vec<String>,
    /// The jar of streaming.
    pub streaming_jar: Option<String>,
}

impl Default for HadoopSettings {
    fn default() -> Self {
        Self {
            command: vec!["hadoop".to_owned()],
            streaming_jar: None,
        }
    }
}

/// One job. Nothing happens before [`run`](Self::run).
#[must_use = "nothing happens before `run`"]
pub struct HadoopJob<'a> {
    attempt: &'a dyn Attempt,
    settings: HadoopSettings,
    jar: OsString,
    class: Option<String>,
    properties: Vec<(String, OsString)>,
    /// `-files`, `-libjars` and `-archives`, with what goes along.
    along: Vec<(&'static str, Vec<OsString>)>,
    /// The job's own arguments; `None` stands for the output's temporary path.
    arguments: Vec<Option<OsString>>,
    output: Option<String>,
    timeout: Option<Duration>,
}

/// There is no jar for streaming.
#[derive(Debug, thiserror::Error)]
#[error("set streaming-jar in section [hadoop]: Hadoop's jar for streaming is not known")]
pub struct NoStreamingJar;

impl<'a> HadoopJob<'a> {
    /// A job that is a jar of one's own.
    pub fn jar(jar: impl Argument, attempt: &'a dyn Attempt, settings: HadoopSettings) -> Self {
        Self {
            attempt,
            settings,
            jar: jar.to_argument(),
            class: None,
            properties: Vec::new(),
            along: ["-files", "-libjars", "-archives"]
                .map(|option| (option, Vec::new()))
                .into(),
            arguments: Vec::new(),
            output: None,
            timeout: None,
        }
    }

    /// A job whose mapper and reducer are programs that read and write lines. They are sent along by
    /// [`files`](Self::files) if the nodes have none.
    ///
    /// # Errors
    /// The settings name no jar for streaming.
    pub fn streaming(
        mapper: impl Argument,
        reducer: impl Argument,
        attempt: &'a dyn Attempt,
        settings: HadoopSettings,
    ) -> Result<Self, NoStreamingJar> {
        let jar = settings.streaming_jar.clone().ok_or(NoStreamingJar)?;
        let job = Self::jar(jar, attempt, settings);
        Ok(job.arg("-mapper").arg(mapper).arg("-reducer").arg(reducer))
    }

    /// The class with `main`, for a jar that does not name one.
    pub fn class(mut self, class: &str) -> Self {
        self.class = Some(class.to_owned());
        self
    }

    /// One of Hadoop's properties: `-D name=value`.
    pub fn conf(mut self, name: &str, value: impl Argument) -> Self {
        self.properties.push((name.to_owned(), value.to_argument()));
        self
    }

    /// Files for the working folders of the tasks.
    pub fn files<A: Argument>(self, files: impl IntoIterator<Item = A>) -> Self {
        self.along("-files", files)
    }

    /// Jars for the class path of the tasks.
    pub fn lib_jars<A: Argument>(self, jars: impl IntoIterator<Item = A>) -> Self {
        self.along("-libjars", jars)
    }

    /// Archives that are unpacked in the working folders of the tasks.
    pub fn archives<A: Argument>(self, archives: impl IntoIterator<Item = A>) -> Self {
        self.along("-archives", archives)
    }

    /// A combiner, for streaming.
    pub fn combiner(self, combiner: impl Argument) -> Self {
        self.arg("-combiner").arg(combiner)
    }

    /// Something to read, for streaming. There may be several.
    pub fn input(self, path: impl Argument) -> Self {
        self.arg("-input").arg(path)
    }

    /// The folder to write, for streaming. It gets its name when the job has ended well.
    pub fn output(self, path: &str) -> Self {
        self.arg("-output").output_arg(path)
    }

    /// The folder to write, as an argument of a jar. It gets its name when the job has ended well.
    pub fn output_arg(mut self, path: &str) -> Self {
        self.output = Some(path.trim_end_matches('/').to_owned());
        self.arguments.push(None);
        self
    }

    /// Adds an argument of the job.
    pub fn arg(mut self, argument: impl Argument) -> Self {
        self.arguments.push(Some(argument.to_argument()));
        self
    }

    /// The longest time that the job may take.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Runs the job and gives its output its name.
    ///
    /// When the run is to stop or the job's time is over, the job is killed in the cluster, too. A worker that
    /// is killed, or a process of a task with a time-out that is ended, can do that no more.
    ///
    /// # Errors
    /// As [`Program::run`]. There is no output then.
    pub fn run(self) -> Result<(), ProgramError> {
        let temporary = self
            .output
            .as_ref()
            .map(|path| format!("{path}-luigi-tmp-{:010}", std::process::id()));
        let ids = Mutex::new(Ids::default());
        let ran = self.client(temporary.as_deref(), &ids).run();
        if ran.is_err() {
            self.kill(&ids.into_inner().unwrap_or_else(PoisonError::into_inner));
            if let Some(temporary) = &temporary {
                let attempt = AfterStop(self.attempt);
                let remove = self.file_system(&attempt, &["-rm", "-r", "-f", temporary]);
                // What stays does no harm: nobody looks for it under this name.
                let _ = remove.timeout(CLEAN_UP).run();
            }
            return ran;
        }
        match (&temporary, &self.output) {
            (Some(temporary), Some(path)) => {
                let name = self.file_system(self.attempt, &["-mv", temporary, path]);
                name.run()
            }
            _ => Ok(()),
        }
    }

    fn client<'s>(&'s self, temporary: Option<&str>, ids: &'s Mutex<Ids>) -> Program<'s> {
        let mut program = self.command(self.attempt).arg("jar").arg(&self.jar);
        if let Some(class) = &self.class {
            program = program.arg(class);
        }
        for (name, value) in &self.properties {
            let mut pair = OsString::from(format!("{name}="));
            pair.push(value);
            program = program.arg("-D").arg(pair);
        }
        for (option, files) in self.along.iter().filter(|(_, files)| !files.is_empty()) {
            program = program.arg(*option).arg(files.join(",".as_ref()));
        }
        for argument in &self.arguments {
            program = match argument {
                Some(argument) => program.arg(argument),
                None => program.arg(temporary.unwrap_or_default()),
            };
        }
        if let Some(limit) = self.timeout {
            program = program.timeout(limit);
        }
        program.on_line(move |_, line| self.hear(line, ids))
    }

    fn hear(&self, line: &str, ids: &Mutex<Ids>) {
        let word_after = |words: &str| {
            let (_, rest) = line.split_once(words)?;
            rest.split_whitespace().next()
        };
        for words in ["The url to track the job: ", "tracking URL: "] {
            if let Some(url) = word_after(words).filter(|url| url.starts_with("http")) {
                self.attempt.set_tracking_url(url);
            }
        }
        let mut ids = ids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = word_after("Running job: ") {
            ids.job = Some(job.to_owned());
            self.attempt
                .set_status_message(&format!("Hadoop job {job}"));
        }
        if let Some(application) = word_after("Submitted application ") {
            ids.application = Some(application.to_owned());
        }
        let percentage = |words: &str| word_after(words)?.trim_end_matches('%').parse::<f64>().ok();
        if let (Some(map), Some(reduce)) = (percentage(" map "), percentage(" reduce ")) {
            self.attempt.set_progress_percentage((map + reduce) / 2.0);
        }
    }

    /// Ends what goes on in the cluster although its client has gone.
    fn kill(&self, ids: &Ids) {
        let kill = match ids {
            Ids {
                application: Some(id),
                ..
            } => ["yarn", "application", "-kill", id],
            Ids { job: Some(id), .. } => ["mapred", "job", "-kill", id],
            _ => return,
        };
        let [program, arguments @ ..] = kill;
        let attempt = AfterStop(self.attempt);
        let kill = Program::new(program, &attempt).args(arguments);
        // A job that ended by itself is not there any more, and the run fails anyway.
        let _ = kill.timeout(CLEAN_UP).run();
    }

    fn command<'s>(&self, attempt: &'s dyn Attempt) -> Program<'s> {
        let mut words = self.settings.command.iter();
        let command = words.next().map_or("hadoop", String::as_str);
        Program::new(command, attempt).args(words)
    }

    fn file_system<'s>(&self, attempt: &'s dyn Attempt, arguments: &[&str]) -> Program<'s> {
        self.command(attempt).arg("fs").args(arguments)
    }

    fn along<A: Argument>(
        mut self,
        option: &'static str,
        files: impl IntoIterator<Item = A>,
    ) -> Self {
        let known = self.along.iter_mut().find(|(known, _)| *known == option);
        if let Some((_, known)) = known {
            known.extend(files.into_iter().map(|file| file.to_argument()));
        }
        self
    }
}

impl fmt::Debug for HadoopJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HadoopJob").field(&self.jar).finish()
    }
}

/// By which the cluster knows the job.
#[derive(Default)]
struct Ids {
    job: Option<String>,
    application: Option<String>,
}

/// A run that was to stop and cleans up now.
struct AfterStop<'a>(&'a dyn Attempt);

impl Attempt for AfterStop<'_> {
    fn task_id(&self) -> &str {
        self.0.task_id()
    }

    fn printed(&self, stream: Stream, text: &[u8]) {
        self.0.printed(stream, text);
    }

    fn stop_requested(&self) -> bool {
        false
    }

    fn set_tracking_url(&self, _: &str) {}

    fn set_status_message(&self, _: &str) {}

    fn set_progress_percentage(&self, _: f64) {}

    fn group_started(&self, group: u32) {
        self.0.group_started(group);
    }

    fn group_ended(&self, group: u32) {
        self.0.group_ended(group);
    }
}
