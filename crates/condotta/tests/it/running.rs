//! Tasks as a worker sees them: what they depend on, when they are complete, how they run.

use std::{
    collections::BTreeMap,
    io,
    marker::PhantomData,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use condotta::{
    prelude::*,
    registry,
    target::{MemoryStore, MemoryTarget},
    task::AnyTargets,
};
use condotta_worker::{RunContext, RunOutcome, TaskHandle};
use tracing_subscriber::fmt::MakeWriter;

/// A text in memory.
#[derive(Task, Clone)]
struct Text {
    name: String,
}

#[task]
impl Task for Text {
    fn output(&self) -> MemoryTarget {
        MemoryTarget::new(self.name.as_str())
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(&self.name)?)
    }
}

fn text(name: &str) -> Text {
    Text {
        name: name.to_owned(),
    }
}

fn handle<T: Task>(task: T) -> TaskHandle {
    AnyTask::new(task).into()
}

/// Runs a task after all that it depends on, as a worker would. Returns the ids in their order.
fn build(task: &TaskHandle) -> Vec<String> {
    if task.complete().unwrap() {
        return Vec::new();
    }
    let mut built = Vec::new();
    for dependency in task.dependencies().unwrap() {
        built.extend(build(&dependency));
    }
    loop {
        match task.run(&RunContext::detached()).unwrap() {
            RunOutcome::Done => break,
            RunOutcome::Requires(tasks) => {
                built.extend(tasks.iter().flat_map(build));
            }
        }
    }
    built.push(task.task_id().to_owned());
    built
}

fn ids(task: &TaskHandle) -> Vec<String> {
    task.dependencies()
        .unwrap()
        .iter()
        .map(|task| task.display_name())
        .collect()
}

/// A task for a shape of tasks, which writes what its input is.
macro_rules! shape {
    ($name:ident requires $shape:ty = $tasks:expr; $input:pat => $result:expr) => {
        #[derive(Task)]
        struct $name;

        #[task]
        impl Task for $name {
            fn requires(&self) -> $shape {
                $tasks
            }

            fn output(&self) -> MemoryTarget {
                MemoryTarget::new(stringify!($name))
            }

            fn run(&self, run: &Run<Self>) -> Result<()> {
                let $input = run.input();
                let result: String = $result;
                Ok(run.output().write(result)?)
            }
        }
    };
}

shape!(One requires Text = text("one"); target => target.read()?);
shape!(Tuple requires (Text, One) = (text("tuple"), One); (a, b) => a.read::<String>()? + &b.read::<String>()?);
shape!(Array requires [Text; 2] = [text("a1"), text("a2")]; [a, b] => format!("{a} {b}"));
shape!(List requires Vec<Text> = vec![text("l1"), text("l2")]; list => list.len().to_string());
shape!(Optional requires (Option<Text>, Option<Text>) = (Some(text("some")), None); (some, none) => {
    assert!(none.is_none());
    some.ok_or("it is there")?.read()?
});
shape!(Map requires BTreeMap<u8, Text> = BTreeMap::from([(7, text("m"))]); map => map[&7].read()?);
shape!(Nested requires Vec<(Text, [Option<Text>; 1])> = vec![(text("n1"), [Some(text("n2"))])]; list => {
    list.iter().map(|(a, [b])| format!("{a}{}", b.is_some())).collect()
});
shape!(Fallible requires io::Result<Vec<Text>> = Ok(vec![text("f")]); list => list[0].read()?);
shape!(Nothing requires () = (); () => String::new());
shape!(Struct requires Sources = Sources { one: text("s1"), many: vec![text("s2")] }; sources => {
    sources.one.read::<String>()? + &sources.many[0].read::<String>()?
});

#[derive(Requires)]
struct Sources {
    one: Text,
    many: Vec<Text>,
}

#[test]
fn input_has_the_shape_of_what_is_required() {
    let cases = [
        (handle(One), "One", vec!["Text(name=one)"], "one"),
        (
            handle(Tuple),
            "Tuple",
            vec!["Text(name=tuple)", "One()"],
            "tupleone",
        ),
        (
            handle(Array),
            "Array",
            vec!["Text(name=a1)", "Text(name=a2)"],
            "a1 a2",
        ),
        (
            handle(List),
            "List",
            vec!["Text(name=l1)", "Text(name=l2)"],
            "2",
        ),
        (
            handle(Optional),
            "Optional",
            vec!["Text(name=some)"],
            "some",
        ),
        (handle(Map), "Map", vec!["Text(name=m)"], "m"),
        (
            handle(Nested),
            "Nested",
            vec!["Text(name=n1)", "Text(name=n2)"],
            "n1true",
        ),
        (handle(Fallible), "Fallible", vec!["Text(name=f)"], "f"),
        (handle(Nothing), "Nothing", vec![], ""),
        (
            handle(Struct),
            "Struct",
            vec!["Text(name=s1)", "Text(name=s2)"],
            "s1s2",
        ),
    ];
    for (task, name, dependencies, result) in cases {
        assert_eq!(ids(&task), dependencies, "{name}");
        build(&task);
        assert_eq!(
            MemoryTarget::new(name).read::<String>().unwrap(),
            result,
            "{name}"
        );
    }
}

#[derive(Task)]
struct Broken;

#[task]
impl Task for Broken {
    fn requires(&self) -> Result<Vec<Text>> {
        Err("no list of sources".into())
    }
}

#[test]
fn an_error_in_place_of_what_is_required_is_the_tasks() {
    let task = handle(Broken);
    assert_eq!(
        task.dependencies().unwrap_err().to_string(),
        "no list of sources"
    );
    let error = task.run(&RunContext::detached()).unwrap_err();
    assert_eq!(error.to_string(), "no list of sources");
}

#[derive(Task)]
struct Outputs;

#[task]
impl Task for Outputs {
    fn output(&self) -> Result<(MemoryTarget, Vec<MemoryTarget>, Option<MemoryTarget>)> {
        Ok((MemoryTarget::new("o1"), vec![MemoryTarget::new("o2")], None))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let (first, _, _) = run.output();
        Ok(first.write(1)?)
    }
}

#[test]
fn a_task_is_complete_when_all_outputs_exist() {
    let task = handle(Outputs);
    assert_eq!(task.missing_outputs(), ["o1", "o2"]);
    task.run(&RunContext::detached()).unwrap();
    assert!(!task.complete().unwrap());
    assert_eq!(task.missing_outputs(), ["o2"]);
    MemoryTarget::new("o2").write("").unwrap();
    assert!(task.complete().unwrap());
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[derive(Task)]
struct NoOutput;

#[task]
impl Task for NoOutput {}

#[test]
fn a_task_without_outputs_is_never_complete() {
    let task = handle(NoOutput);
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .without_time()
        .with_ansi(false);
    tracing::subscriber::with_default(subscriber.finish(), || assert!(!task.complete().unwrap()));
    let expected = "Task NoOutput() without outputs has no custom complete() method";
    assert!(log.text().contains(expected), "{}", log.text());
    assert!(matches!(
        task.run(&RunContext::detached()),
        Ok(RunOutcome::Done)
    ));
    assert!(!task.is_external());
}

#[derive(Task)]
struct Source;

#[task(external)]
impl Task for Source {
    fn output(&self) -> MemoryTarget {
        MemoryTarget::new("source")
    }
}

#[derive(Task)]
struct All;

#[task(wrapper)]
impl Task for All {
    fn requires(&self) -> (Text, Text) {
        (text("w1"), text("w2"))
    }
}

#[test]
fn external_tasks_are_not_run_and_wrappers_are_complete_with_what_they_require() {
    assert!(handle(Source).is_external());
    let all = handle(All);
    assert!(!all.complete().unwrap());
    build(&handle(text("w1")));
    assert!(!all.complete().unwrap());
    build(&handle(text("w2")));
    assert!(all.complete().unwrap());
}

#[derive(Task)]
struct Mixed;

#[task]
impl Task for Mixed {
    fn requires(&self) -> Vec<AnyTask> {
        vec![text("x1").into(), AnyTask::new(Outputs2)]
    }

    fn output(&self) -> MemoryTarget {
        MemoryTarget::new("Mixed")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let inputs: Vec<AnyTargets> = run.input();
        let one: &MemoryTarget = inputs[0].one()?;
        let several = inputs[1].of::<MemoryTarget>().count();
        let refused = inputs[1].one::<MemoryTarget>().map(drop).unwrap_err();
        let other = inputs[0].one::<LocalTarget>().map(drop).unwrap_err();
        Ok(run
            .output()
            .write(format!("{one}; {several}; {refused}; {other}"))?)
    }
}

#[derive(Task)]
struct Outputs2;

#[task]
impl Task for Outputs2 {
    fn output(&self) -> [MemoryTarget; 2] {
        ["y1", "y2"].map(MemoryTarget::new)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        for target in run.output() {
            target.write("y")?;
        }
        Ok(())
    }
}

#[test]
fn lists_may_be_mixed_at_run_time() {
    assert_eq!(
        build(&handle(Mixed)),
        [
            "Text_x1_dd79854083",
            "Outputs2__99914b932b",
            "Mixed__99914b932b"
        ]
    );
    let result: String = MemoryTarget::new("Mixed").read().unwrap();
    assert_eq!(
        result,
        "x1; 2; expected one target, found 2; x1 is not a \
         condotta_targets::local::file::LocalTarget"
    );
}

#[test]
fn a_task_of_any_type_remembers_its_own() {
    let task = AnyTask::new(text("z"));
    assert_eq!(
        task.downcast_ref::<Text>().map(|text| text.name.as_str()),
        Some("z")
    );
    assert!(task.downcast_ref::<One>().is_none());
    assert_eq!(task, text("z").into());
    assert_eq!(format!("{task:?}"), "Text(name=z)");
    assert_eq!(
        task.output().unwrap().iter().next().unwrap().to_string(),
        "z"
    );
}

static STARTS: AtomicUsize = AtomicUsize::new(0);

#[derive(Task)]
struct Dynamic {
    how: String,
}

#[task]
impl Task for Dynamic {
    fn output(&self) -> MemoryTarget {
        MemoryTarget::new(format!("Dynamic {}", self.how))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        STARTS.fetch_add(1, Ordering::SeqCst);
        let tasks = (
            text(&format!("{} 1", self.how)),
            [text(&format!("{} 2", self.how))],
        );
        let (first, [second]) = match self.how.as_str() {
            "swallow" => match run.require(tasks) {
                Ok(targets) => targets,
                Err(_) => return Ok(()),
            },
            "replace" => run
                .require(tasks)
                .map_err(|_| "an error of the task's own")?,
            "panic" => run.require(tasks).unwrap(),
            _ => run.require(tasks)?,
        };
        Ok(run.output().write(format!("{first} {second}"))?)
    }
}

#[test]
fn dynamic_requirements_suspend_the_run_whatever_the_code_makes_of_the_error() {
    for how in ["pass", "swallow", "replace", "panic"] {
        STARTS.store(0, Ordering::SeqCst);
        let task = handle(Dynamic {
            how: how.to_owned(),
        });
        let RunOutcome::Requires(tasks) = task.run(&RunContext::detached()).unwrap() else {
            panic!("{how}: it is not suspended");
        };
        assert_eq!(tasks.len(), 2, "{how}");
        assert_eq!(build(&task).len(), 3, "{how}");
        assert_eq!(
            STARTS.load(Ordering::SeqCst),
            3,
            "{how}: twice from the top"
        );
        let result: String = MemoryTarget::new(format!("Dynamic {how}")).read().unwrap();
        assert_eq!(result, format!("{how} 1 {how} 2"));
    }
}

#[derive(Task)]
struct Copied<T: Task<Output = MemoryTarget> + Default, const N: usize> {
    suffix: String,
    of: PhantomData<T>,
}

#[task]
impl<T: Task<Output = MemoryTarget> + Default, const N: usize> Task for Copied<T, N> {
    fn requires(&self) -> T {
        T::default()
    }

    fn output(&self) -> MemoryTarget {
        MemoryTarget::new(format!("{}{N}", self.suffix))
    }
}

impl Default for Text {
    fn default() -> Self {
        text("default")
    }
}

#[test]
fn generic_tasks_differ_by_their_arguments_and_are_registered_by_hand() {
    let copied = |suffix: &str| Copied::<Text, 3> {
        suffix: suffix.to_owned(),
        of: PhantomData,
    };
    let task = handle(copied("g"));
    assert_eq!(task.family(), "Copied_Text_3");
    assert_eq!(ids(&task), ["Text(name=default)"]);
    assert!(registry::find("Copied_Text_3").is_err());
    registry::register::<Copied<Text, 3>>();
    registry::register::<Copied<Text, 3>>();
    assert_eq!(registry::find("Copied_Text_3").unwrap().description, "");
}

#[derive(Task)]
struct Settings {
    long: bool,
}

#[task(namespace = "tests", family = "Attributes")]
impl Task for Settings {
    fn run(&self) -> Result<(), std::num::ParseIntError> {
        "x".parse::<i32>().map(drop)
    }

    fn complete(&self) -> bool {
        self.long
    }

    fn priority(&self) -> i32 {
        7
    }

    fn resources(&self) -> [(&str, u64); 1] {
        [("database", 2)]
    }

    fn worker_timeout(&self) -> Duration {
        Duration::from_millis(1500)
    }

    fn disabled(&self) -> bool {
        self.long
    }

    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy {
            retry_count: Some(3),
            ..RetryPolicy::default()
        }
    }

    fn max_batch_size(&self) -> u64 {
        10
    }

    fn owners(&self) -> &str {
        "me@example.com"
    }

    fn on_success(&self) -> String {
        "well done".to_owned()
    }

    fn on_failure(&self, error: &condotta::Error) -> String {
        format!("oh: {error}")
    }

    fn accepts_messages(&self) -> bool {
        true
    }
}

#[test]
fn what_a_task_says_of_itself_reaches_the_worker() {
    let task = handle(Settings { long: true });
    assert_eq!(task.family(), "tests.Attributes");
    let module = task.module().unwrap_or_default();
    assert!(module.starts_with("rust:it"), "{module}");
    assert!(task.complete().unwrap() && task.disabled() && task.accepts_messages());
    assert_eq!(task.priority(), 7.0);
    assert_eq!(
        task.resources(),
        BTreeMap::from([("database".to_owned(), 2)])
    );
    assert_eq!(task.worker_timeout(), Some(1.5));
    assert_eq!(task.retry_policy().retry_count, Some(3));
    assert_eq!(task.max_batch_size(), Some(10));
    assert_eq!(task.owners(), ["me@example.com"]);
    assert_eq!(task.on_success().unwrap().as_deref(), Some("well done"));
    let error = task.run(&RunContext::detached()).unwrap_err();
    assert_eq!(task.on_failure(&error), "oh: invalid digit found in string");
    let error = handle(NoOutput).on_failure(&error);
    assert_eq!(error, "invalid digit found in string");
}

static QUESTIONS: AtomicUsize = AtomicUsize::new(0);

#[derive(Task)]
struct Many {
    number: u64,
}

#[task]
impl Task for Many {
    fn bulk_complete(tasks: &[Self]) -> Vec<bool> {
        QUESTIONS.fetch_add(1, Ordering::SeqCst);
        tasks.iter().map(|task| task.number % 2 == 0).collect()
    }
}

#[test]
fn many_tasks_can_be_asked_for_at_once() {
    let tasks: Vec<Many> = (0..4).map(|number| Many { number }).collect();
    assert_eq!(
        Many::bulk_complete(&tasks).unwrap(),
        [true, false, true, false]
    );
    assert_eq!(QUESTIONS.load(Ordering::SeqCst), 1);
    let texts = [text("bulk 1"), text("bulk 2")];
    MemoryStore::shared().target("bulk 2").write("").unwrap();
    assert_eq!(Text::bulk_complete(&texts).unwrap(), [false, true]);
}
