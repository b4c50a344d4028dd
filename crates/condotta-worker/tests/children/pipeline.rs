//! The program's tasks. Each keeps its output in a directory, so that another process sees it.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use condotta_scheduler::{ParamValue, Recipe, Resources, Visibility};
use condotta_worker::{
    BoxError, LoadError, ParamInfo, RunContext, RunOutcome, Runnable, TaskHandle, TaskLoader,
    Worker, WorkerConfig, WorkerOptions,
};
use signal_hook::{
    consts::{SIGINT, SIGTERM, SIGUSR1},
    iterator::Signals,
};

use crate::fake::Fake;

pub struct Filed {
    id: String,
    family: String,
    dir: PathBuf,
    secret: String,
    timeout: Option<f64>,
}

pub fn task(family: &str, dir: &Path) -> Filed {
    Filed {
        id: format!("{family}_{}", dir.display()),
        family: family.to_owned(),
        dir: dir.to_owned(),
        secret: String::new(),
        timeout: None,
    }
}

impl Filed {
    pub fn timeout(mut self, secs: f64) -> Self {
        self.timeout = Some(secs);
        self
    }

    pub fn secret(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self
    }

    pub fn share(self) -> TaskHandle {
        Arc::new(self)
    }

    fn write(&self, text: &str) -> Result<RunOutcome, BoxError> {
        std::fs::write(self.dir.join(&self.family), text)?;
        Ok(RunOutcome::Done)
    }

    fn note_pid(&self, pid: u32) -> Result<(), BoxError> {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.join("pids"))?;
        Ok(writeln!(file, "{pid}")?)
    }

    /// Starts a process of its own and waits for ever.
    fn hang(&self) -> Result<RunOutcome, BoxError> {
        let grandchild = Command::new("sleep")
            .arg("100")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.note_pid(grandchild.id())?;
        self.note_pid(std::process::id())?;
        loop {
            std::thread::park();
        }
    }
}

impl Runnable for Filed {
    fn task_id(&self) -> &str {
        &self.id
    }

    fn family(&self) -> &str {
        &self.family
    }

    fn params(&self) -> Vec<ParamInfo> {
        let param = |name: &str, value: String, visibility| ParamInfo {
            name: name.to_owned(),
            value,
            significant: true,
            visibility,
        };
        vec![
            param("dir", self.dir.display().to_string(), Visibility::Public),
            param("secret", self.secret.clone(), Visibility::Private),
            param("place", "cellar".to_owned(), Visibility::Hidden),
        ]
    }

    fn complete(&self) -> Result<bool, BoxError> {
        Ok(self.dir.join(&self.family).exists())
    }

    fn dependencies(&self) -> Result<Vec<TaskHandle>, BoxError> {
        Ok(match self.family.as_str() {
            "AfterGate" => vec![task("Gate", &self.dir).share()],
            "NeedsLiar" => vec![task("Liar", &self.dir).share()],
            _ => Vec::new(),
        })
    }

    fn missing_outputs(&self) -> Vec<String> {
        vec![self.family.clone()]
    }

    fn run(&self, context: &RunContext<'_>) -> Result<RunOutcome, BoxError> {
        match self.family.as_str() {
            "Talker" => {
                context.set_status_message("half way");
                context.set_progress_percentage(50.0);
                context.set_tracking_url("http://there");
                context.decrease_running_resources(&Resources::from([("seat".to_owned(), 1)]));
                context.trigger_progress("said");
                self.write(&format!("{} {}", std::process::id(), self.secret))
            }
            "Prints" => {
                println!("printed");
                eprintln!("complained");
                Command::new("echo").arg("said by a program").status()?;
                self.write("")
            }
            "Reveals" => {
                let secret = &self.secret;
                println!("with {secret}");
                let (first, rest) = secret.split_at(3);
                print!("with {first}");
                std::io::stdout().flush()?;
                std::thread::sleep(Duration::from_millis(300));
                println!("{rest} in two parts");
                context.set_status_message(&format!("uses {secret}"));
                context.set_tracking_url(&format!("http://anna:{secret}@there"));
                Err(format!("no luck with {secret}").into())
            }
            "Hangs" => self.hang(),
            "Stubborn" => {
                signal_hook::flag::register(SIGTERM, Arc::new(AtomicBool::new(false)))?;
                self.hang()
            }
            "Exits" => std::process::exit(0),
            "ExitsWith3" => std::process::exit(3),
            "Aborts" => std::process::abort(),
            "Fails" => Err(BoxError::from("no luck")),
            "Panics" => panic!("out of luck"),
            "Liar" => Ok(RunOutcome::Done),
            "Suspends" => {
                let found = task("Talker", &self.dir);
                if found.complete()? {
                    return self.write("found");
                }
                Ok(RunOutcome::Requires(vec![
                    found.secret("handed on").share(),
                ]))
            }
            "Listener" => {
                let message = context.messages().recv_timeout(Duration::from_secs(20));
                let message = message.ok_or("no message came")?;
                message.respond(&format!("heard {message}"));
                self.write(message.content())
            }
            // Runs until a file lets it go on.
            "Gate" => {
                self.note_pid(std::process::id())?;
                while !self.dir.join("open").exists() && !context.stop_requested() {
                    std::thread::sleep(Duration::from_millis(2));
                }
                self.write("")
            }
            _ => self.write(""),
        }
    }

    fn worker_timeout(&self) -> Option<f64> {
        self.timeout
    }

    fn accepts_messages(&self) -> bool {
        self.family == "Listener"
    }
}

pub struct Loader;

impl TaskLoader for Loader {
    fn load(&self, recipe: &Recipe) -> Result<TaskHandle, LoadError> {
        let value = |name: &str| {
            recipe.params.iter().find_map(|(own, value)| match value {
                ParamValue::One(value) if own == name => Some(value.clone()),
                _ => None,
            })
        };
        let invalid = |source: BoxError| LoadError::Invalid {
            family: recipe.family.clone(),
            source,
        };
        if recipe.family == "Unbuildable" {
            return Err(invalid("it was never meant to be".into()));
        }
        let dir = value("dir").ok_or_else(|| invalid("no dir".into()))?;
        let built = task(&recipe.family, Path::new(&dir));
        Ok(built.secret(&value("secret").unwrap_or_default()).share())
    }
}

/// Runs a pipeline and says how it went: `<family> <number of processes> <child|thread> <dir>`.
pub fn main(pipeline: &str) {
    let words: Vec<&str> = pipeline.split(' ').collect();
    let [family, processes, place, dir] = words[..] else {
        panic!("{pipeline}")
    };
    let options = WorkerOptions {
        processes: processes.parse().unwrap(),
        loader: Some(Arc::new(Loader)),
        ..WorkerOptions::default()
    };
    let stop = options.stop.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1]).unwrap();
    let heard = Path::new(dir).join("heard");
    std::thread::spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGUSR1 => stop.phase_out(),
                _ => stop.interrupt(),
            };
            std::fs::write(&heard, "").unwrap();
        }
    });
    let config = WorkerConfig {
        force_multiprocessing: place == "child",
        ..WorkerConfig::default()
    };
    let scheduler = Arc::new(Fake::default());
    let mut worker = Worker::new(scheduler.clone(), config, options).unwrap();
    worker.add(task(family, Path::new(dir)).share()).unwrap();
    let succeeded = worker.run().unwrap();
    println!("{}", scheduler.log().join("\n"));
    println!("succeeded: {succeeded}");
}
