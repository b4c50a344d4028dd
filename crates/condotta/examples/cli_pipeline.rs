//! A program of small tasks, for the tests of the command line and for trying it out:
//! `cargo run --example cli_pipeline -- --help`.

use std::{path::Path, thread, time::Duration};

use condotta::prelude::*;

/// Where outputs are kept.
#[derive(Config)]
#[config(section = "output")]
struct OutputFolder {
    /// The folder.
    #[param(default = "cli-pipeline")]
    folder: String,
}

fn target(name: &str) -> LocalTarget {
    let folder = OutputFolder::get()
        .expect("the folder has a default")
        .folder;
    LocalTarget::new(format!("{folder}/{name}"))
}

/// How to say it.
#[derive(Clone, Copy, Debug, ParameterEnum)]
enum Tone {
    Warm,
    Cool,
}

/// Greets somebody.
///
/// The greeting goes into a file.
#[derive(Task)]
struct Greet {
    /// Whom to greet.
    name: String,
    /// How often.
    #[param(default = 1)]
    times: u32,
    /// Whether to shout.
    shout: bool,
    /// Whether to mean it.
    #[param(parsing = explicit)]
    mean_it: bool,
    /// The tone.
    #[param(default = Tone::Warm)]
    tone: Tone,
}

#[task]
impl Task for Greet {
    fn output(&self) -> LocalTarget {
        target(&format!("greeting-{}", self.name))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let greeting = format!("Hello {}!\n", self.name).repeat(self.times as usize);
        let greeting = if self.shout {
            greeting.to_uppercase()
        } else {
            greeting
        };
        tracing::info!("{:?} greeting, meant: {}", self.tone, self.mean_it);
        Ok(run.output().write(greeting)?)
    }
}

/// Greets many.
#[derive(Task)]
struct GreetAll {
    /// How many.
    #[param(default = 3)]
    count: u32,
}

#[task(wrapper)]
impl Task for GreetAll {
    fn requires(&self) -> Vec<Greet> {
        (0..self.count)
            .map(|number| Greet {
                name: format!("guest-{number}"),
                times: 1,
                shout: false,
                mean_it: true,
                tone: Tone::Cool,
            })
            .collect()
    }
}

/// Fails.
#[derive(Task)]
struct Fail;

#[task]
impl Task for Fail {
    fn run(&self) -> Result<()> {
        Err("this task always fails".into())
    }
}

/// Fails, which its owner wants to know.
#[derive(Task)]
struct FailOwned {
    /// Any number.
    day: u32,
    /// Nobody's business.
    #[param(default = "", visibility = private)]
    password: String,
}

#[task]
impl Task for FailOwned {
    fn owners(&self) -> &str {
        "owner@example.com"
    }

    fn run(&self) -> Result<()> {
        Err(format!("day {} <broke>, {} letters", self.day, self.password.len()).into())
    }
}

/// Panics.
#[derive(Task)]
struct Panic;

#[task]
impl Task for Panic {
    fn run(&self) {
        panic!("this task always panics");
    }
}

/// Made by somebody else.
#[derive(Task)]
struct Elsewhere;

#[task(external)]
impl Task for Elsewhere {
    fn output(&self) -> LocalTarget {
        target("never-made")
    }
}

/// Needs what nobody makes.
#[derive(Task)]
struct NeedsElsewhere;

#[task]
impl Task for NeedsElsewhere {
    fn requires(&self) -> Elsewhere {
        Elsewhere
    }
}

/// Cannot say whether it is complete.
#[derive(Task)]
struct Unsure;

#[task]
impl Task for Unsure {
    fn complete(&self) -> Result<bool> {
        Err("this task does not know".into())
    }
}

/// Waits for a file.
#[derive(Task)]
struct Wait {
    /// Made when the wait begins.
    started: String,
    /// The file to wait for.
    until: String,
}

#[task]
impl Task for Wait {
    fn output(&self) -> LocalTarget {
        target("waited")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        run.set_status_message("waiting for a file");
        run.set_progress_percentage(50.0);
        std::fs::write(&self.started, "")?;
        for _ in 0..3000 {
            if Path::new(&self.until).exists() {
                return Ok(run.output().write("waited")?);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err("waited for a minute in vain".into())
    }
}

/// Waits, then greets: for seeing what is not started any more.
#[derive(Task)]
struct GreetAfterWait {
    /// Made when the wait begins.
    started: String,
    /// The file to wait for.
    until: String,
}

#[task]
impl Task for GreetAfterWait {
    fn requires(&self) -> Wait {
        Wait {
            started: self.started.clone(),
            until: self.until.clone(),
        }
    }

    fn output(&self) -> LocalTarget {
        target("greeted-after-wait")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write("hello at last")?)
    }
}

/// Requires two that wait for one another: they have to run at the same time.
#[derive(Task)]
struct Meet;

#[task(wrapper)]
impl Task for Meet {
    fn requires(&self) -> [Wait; 2] {
        [("here", "there"), ("there", "here")].map(|(started, until)| Wait {
            started: started.into(),
            until: until.into(),
        })
    }
}

/// Is in a namespace.
#[derive(Task)]
struct Nested {
    /// Any text.
    #[param(default = "")]
    text: String,
}

#[task(namespace = "deep.down")]
impl Task for Nested {
    fn output(&self) -> LocalTarget {
        target("nested")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(&self.text)?)
    }
}

fn main() -> ExitCode {
    condotta::run()
}
