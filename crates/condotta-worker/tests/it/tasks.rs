//! Tasks in memory, and a world that builds them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use condotta_scheduler::{ParamValue, Recipe, Resources, Visibility};
use condotta_worker::{
    BoxError, LoadError, ParamInfo, RunContext, RunOutcome, Runnable, Scheduler, TaskHandle,
    TaskLoader, Worker, WorkerConfig, WorkerOptions,
};

type Code = Box<dyn Fn(&Memory, &RunContext<'_>) -> Result<RunOutcome, BoxError> + Send + Sync>;
type Dependencies = Box<dyn Fn() -> Result<Vec<TaskHandle>, BoxError> + Send + Sync>;
type Complete = Box<dyn Fn(&Memory) -> Result<bool, BoxError> + Send + Sync>;
type Next = fn(&str) -> Option<String>;

/// A task whose output is a flag.
pub struct Memory {
    id: String,
    family: String,
    params: Vec<ParamInfo>,
    nexts: Vec<Option<Next>>,
    dependencies: Dependencies,
    complete: Complete,
    code: Code,
    pub done: AtomicBool,
    pub runs: AtomicUsize,
    pub external: bool,
    pub disabled: bool,
    pub resources: Resources,
    pub priority: f64,
    pub batch_params: Vec<String>,
    pub timeout: Option<f64>,
    pub accepts_messages: bool,
}

impl Memory {
    pub fn new(family: &str) -> Self {
        Self {
            id: format!("{family}__99914b932b"),
            family: family.to_owned(),
            params: Vec::new(),
            nexts: Vec::new(),
            dependencies: Box::new(|| Ok(Vec::new())),
            complete: Box::new(|task| Ok(task.done.load(Ordering::SeqCst))),
            code: Box::new(|task, _| {
                task.finish();
                Ok(RunOutcome::Done)
            }),
            done: AtomicBool::new(false),
            runs: AtomicUsize::new(0),
            external: false,
            disabled: false,
            resources: Resources::new(),
            priority: 0.0,
            batch_params: Vec::new(),
            timeout: None,
            accepts_messages: false,
        }
    }

    pub fn param(mut self, name: &str, value: &str, next: Option<Next>) -> Self {
        self.params.push(ParamInfo {
            name: name.to_owned(),
            value: value.to_owned(),
            significant: true,
            visibility: Visibility::Public,
        });
        self.nexts.push(next);
        let values: Vec<&str> = self
            .params
            .iter()
            .map(|param| param.value.as_str())
            .collect();
        self.id = format!("{}_{}", self.family, values.join("_"));
        self
    }

    pub fn private(mut self, name: &str, value: &str) -> Self {
        let id = self.id.clone();
        self = self.param(name, value, None);
        let param = self.params.last_mut().unwrap();
        param.visibility = Visibility::Private;
        param.significant = false;
        self.id = id;
        self
    }

    pub fn needs(mut self, deps: &[TaskHandle]) -> Self {
        let deps = deps.to_vec();
        self.dependencies = Box::new(move || Ok(deps.clone()));
        self
    }

    pub fn dependencies(
        mut self,
        code: impl Fn() -> Result<Vec<TaskHandle>, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.dependencies = Box::new(code);
        self
    }

    pub fn complete_if(
        mut self,
        code: impl Fn(&Self) -> Result<bool, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.complete = Box::new(code);
        self
    }

    pub fn runs(
        mut self,
        code: impl Fn(&Self, &RunContext<'_>) -> Result<RunOutcome, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.code = Box::new(code);
        self
    }

    pub fn fails(self) -> Self {
        self.runs(|_, _| Err("no luck".into()))
    }

    pub fn finish(&self) {
        self.done.store(true, Ordering::SeqCst);
    }

    pub fn run_count(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn share(self) -> Arc<Self> {
        Arc::new(self)
    }
}

impl Runnable for Memory {
    fn task_id(&self) -> &str {
        &self.id
    }

    fn family(&self) -> &str {
        &self.family
    }

    fn params(&self) -> Vec<ParamInfo> {
        self.params.clone()
    }

    fn next_in_enumeration(&self, param: &str, value: &str) -> Option<String> {
        let place = self.params.iter().position(|own| own.name == param)?;
        self.nexts[place]?(value)
    }

    fn complete(&self) -> Result<bool, BoxError> {
        (self.complete)(self)
    }

    fn dependencies(&self) -> Result<Vec<TaskHandle>, BoxError> {
        (self.dependencies)()
    }

    fn run(&self, context: &RunContext<'_>) -> Result<RunOutcome, BoxError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        (self.code)(self, context)
    }

    fn is_external(&self) -> bool {
        self.external
    }

    fn disabled(&self) -> bool {
        self.disabled
    }

    fn resources(&self) -> Resources {
        self.resources.clone()
    }

    fn priority(&self) -> f64 {
        assert!(!self.priority.is_nan(), "not a number");
        self.priority
    }

    fn batch_params(&self) -> Vec<String> {
        self.batch_params.clone()
    }

    fn worker_timeout(&self) -> Option<f64> {
        self.timeout
    }

    fn accepts_messages(&self) -> bool {
        self.accepts_messages
    }
}

/// Builds tasks by recipe with the code that it was given for each family.
#[derive(Default)]
pub struct Builders {
    builders: Mutex<BTreeMap<String, Builder>>,
}

type Builder = Box<dyn Fn(&BTreeMap<String, Vec<String>>) -> Result<TaskHandle, BoxError> + Send>;

impl Builders {
    pub fn family(
        &self,
        family: &str,
        build: impl Fn(&BTreeMap<String, Vec<String>>) -> Result<TaskHandle, BoxError> + Send + 'static,
    ) {
        let mut builders = self.builders.lock().unwrap();
        builders.insert(family.to_owned(), Box::new(build));
    }
}

impl TaskLoader for Builders {
    fn load(&self, recipe: &Recipe) -> Result<TaskHandle, LoadError> {
        let builders = self.builders.lock().unwrap();
        let build = builders
            .get(&recipe.family)
            .ok_or_else(|| LoadError::UnknownFamily(recipe.family.clone()))?;
        let params = recipe.params.iter().map(|(name, value)| {
            let values = match value {
                ParamValue::One(value) => vec![value.clone()],
                ParamValue::Many(values) => values.clone(),
            };
            (name.clone(), values)
        });
        build(&params.collect()).map_err(|source| LoadError::Invalid {
            family: recipe.family.clone(),
            source,
        })
    }
}

/// A task that is built by somebody who may be gone.
pub fn upgrade<T>(weak: &Weak<T>) -> Arc<T> {
    weak.upgrade().expect("the test keeps it")
}

/// A worker that never waits long.
pub fn quick() -> WorkerConfig {
    WorkerConfig {
        id: "this".to_owned(),
        wait_interval: 0.01,
        wait_jitter: 0.0,
        ..WorkerConfig::default()
    }
}

pub fn worker_with(
    scheduler: &Arc<impl Scheduler + 'static>,
    config: WorkerConfig,
    options: WorkerOptions,
) -> Worker {
    let scheduler: Arc<dyn Scheduler> = scheduler.clone();
    Worker::new(scheduler, config, options).unwrap()
}
