//! Programs that say more of themselves, and tasks that are run from Rust code.

use std::sync::Arc;

use condotta::{
    App, BuildError, BuildOptions, Category, RemoteOptions, RemoteScheduler, StatusCode, prelude::*,
};

use crate::program::Place;

/// Writes its text into a file.
#[derive(Clone, Task)]
struct Note {
    /// The file.
    path: String,
    /// The text.
    #[param(default = "nothing")]
    text: String,
}

#[task]
impl Task for Note {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(&self.path)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        if self.text == "fail" {
            return Err("told to fail".into());
        }
        Ok(run.output().write(&self.text)?)
    }
}

/// Is known by being registered only.
#[derive(Task)]
struct Generic<T: Send + Sync + 'static> {
    /// The file.
    path: String,
    #[param(skip)]
    kind: std::marker::PhantomData<T>,
}

#[task]
impl<T: Send + Sync + 'static> Task for Generic<T> {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(&self.path)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(std::any::type_name::<T>())?)
    }
}

fn note(place: &Place, text: &str) -> Note {
    Note {
        path: place.path(text).to_str().unwrap().to_owned(),
        text: text.to_owned(),
    }
}

fn main_with(app: App, arguments: &[&str]) -> String {
    let arguments = arguments.iter().map(|&argument| argument.to_owned());
    format!("{:?}", app.main_with(arguments))
}

fn success() -> String {
    format!("{:?}", ExitCode::SUCCESS)
}

#[test]
fn tasks_are_built_together_and_what_became_of_them_is_told() {
    let place = Place::new();
    let tasks = [note(&place, "one"), note(&place, "two")];
    let options = || BuildOptions::new().local_scheduler().workers(2);
    let result = condotta::build(tasks.clone(), options()).unwrap();
    assert!(result.succeeded(), "{}", result.summary_text());
    assert_eq!(result.status(), StatusCode::Success);
    assert_eq!(result.summary().tasks(Category::Completed).len(), 2);
    assert_eq!(std::fs::read_to_string(place.path("two")).unwrap(), "two");
    let again = condotta::build(tasks, options()).unwrap();
    assert_eq!(again.summary().tasks(Category::AlreadyDone).len(), 2);
}

#[test]
fn a_failing_task_is_a_result_and_not_an_error() {
    let place = Place::new();
    let options = BuildOptions::new().local_scheduler();
    let result = condotta::build(note(&place, "fail"), options).unwrap();
    assert!(!result.succeeded());
    assert_eq!(result.status(), StatusCode::Failed);
    assert_eq!(
        result.one_line_summary(),
        "This progress looks :( because there were failed tasks"
    );
}

#[test]
fn without_a_scheduler_nothing_is_built() {
    let place = Place::new();
    let once = RemoteOptions {
        rpc_retry_attempts: 1,
        ..RemoteOptions::default()
    };
    let nowhere = RemoteScheduler::new("http://127.0.0.1:1/", once).unwrap();
    let options = BuildOptions::new().scheduler(Arc::new(nowhere));
    let error = condotta::build(note(&place, "one"), options).unwrap_err();
    assert!(matches!(&error, BuildError::Run(_)), "{error:?}");
    assert!(error.to_string().contains("http://127.0.0.1:1"), "{error}");
    assert!(!place.path("one").exists());
}

#[test]
fn a_default_task_needs_not_be_named_and_still_has_its_flags() {
    let place = Place::new();
    let path = place.path("default").to_str().unwrap().to_owned();
    let app = || App::new().default_task::<Note>().local_scheduler();
    assert_eq!(
        main_with(app(), &["notes", "--no-lock", "--path", &path]),
        success()
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "nothing");
    let other = place.path("other").to_str().unwrap().to_owned();
    let named = [
        "notes",
        "Note",
        "--no-lock",
        "--path",
        &other,
        "--text",
        "x",
    ];
    assert_eq!(main_with(app(), &named), success());
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "x");
}

#[test]
fn a_scheduler_on_the_command_line_comes_before_the_programs_own() {
    let place = Place::new();
    let path = place.path("remote").to_str().unwrap().to_owned();
    let app = App::new().default_task::<Note>().local_scheduler();
    let arguments = ["notes", "--path", &path, "--scheduler-url", "far"];
    assert_eq!(
        main_with(app, &arguments),
        format!("{:?}", ExitCode::from(4))
    );
    assert!(!place.path("remote").exists());
}

#[test]
fn generic_tasks_are_registered() {
    let place = Place::new();
    let path = place.path("generic").to_str().unwrap().to_owned();
    let family = <Generic<u8> as condotta::params::Parameters>::family();
    let arguments = [
        "notes",
        &family,
        "--local-scheduler",
        "--no-lock",
        "--path",
        &path,
    ];
    let app = App::new().register::<Generic<u8>>();
    assert_eq!(main_with(app, &arguments), success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "u8");
}

/// Has a password, and one of a row of numbers.
#[derive(Clone, Task)]
struct LogsIn {
    folder: String,
    number: u32,
    #[param(visibility = private)]
    password: String,
}

#[task]
impl Task for LogsIn {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("{}/{}", self.folder, self.number))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(&self.password)?)
    }
}

/// Has nothing but one.
#[derive(Clone, Task)]
struct Password {
    #[param(visibility = private)]
    password: String,
}

#[task]
impl Task for Password {
    fn complete(&self) -> Result<bool> {
        Ok(true)
    }
}

#[test]
fn private_parameters_are_not_in_the_summary() {
    let place = Place::new();
    let password = "hunter22".to_owned();
    let log_in = |number| LogsIn {
        folder: place.path("").to_str().unwrap().to_owned(),
        number,
        password: password.clone(),
    };
    let name = AnyTask::new(log_in(1)).display_name();
    assert!(name.ends_with(", number=1, password=***)"), "{name}");
    for numbers in [1..2, 2..4, 4..10] {
        let options = BuildOptions::new().local_scheduler();
        let tasks: Vec<LogsIn> = numbers.map(log_in).collect();
        let result = condotta::build(tasks, options).unwrap();
        let text = result.summary_text();
        assert!(text.contains(", password=***)"), "{text}");
        assert!(!text.contains("hunter22"), "{text}");
    }
    let password = Password { password };
    let options = BuildOptions::new().local_scheduler();
    let result = condotta::build(password, options).unwrap();
    let text = result.summary_text();
    assert!(text.contains("- 1 Password(password=***)"), "{text}");
}
