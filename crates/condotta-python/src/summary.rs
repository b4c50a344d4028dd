//! The execution summary of Python's tasks: which category a task belongs to, and the text.

use std::{cell::RefCell, collections::HashMap};

use condotta_scheduler::Status;
use condotta_worker::{Category, ParamInfo, Sorting, Summarized, Summary};
use pyo3::{
    prelude::*,
    types::{PyDict, PyList, PySet, PyString, PyTuple},
};

/// Luigi's name of a category.
const fn name(category: Category) -> &'static str {
    match category {
        Category::AlreadyDone => "already_done",
        Category::Completed => "completed",
        Category::EverFailed => "ever_failed",
        Category::Failed => "failed",
        Category::SchedulingError => "scheduling_error",
        Category::StillPendingExt => "still_pending_ext",
        Category::StillPendingNotExt => "still_pending_not_ext",
        Category::RunByOtherWorker => "run_by_other_worker",
        Category::UpstreamFailure => "upstream_failure",
        Category::UpstreamMissingDependency => "upstream_missing_dependency",
        Category::UpstreamRunByOtherWorker => "upstream_run_by_other_worker",
        Category::UpstreamSchedulingError => "upstream_scheduling_error",
        Category::NotRun => "not_run",
    }
}

/// The tasks of a worker, each once, by their places.
struct Places<'py> {
    tasks: Vec<Bound<'py, PyAny>>,
    by_task: Bound<'py, PyDict>,
}

impl<'py> Places<'py> {
    fn of(&mut self, task: &Bound<'py, PyAny>) -> PyResult<usize> {
        if let Some(place) = self.find(task)? {
            return Ok(place);
        }
        self.by_task.set_item(task, self.tasks.len())?;
        self.tasks.push(task.clone());
        Ok(self.tasks.len() - 1)
    }

    fn find(&self, task: &Bound<'py, PyAny>) -> PyResult<Option<usize>> {
        let place = self.by_task.get_item(task)?;
        place.map(|place| place.extract()).transpose()
    }
}

/// Sets of tasks by category, from what was told of tasks (the task, its status, and whether the
/// worker could run it) and from the tasks that other workers run.
#[pyfunction]
pub(crate) fn sort_tasks<'py>(
    told: &Bound<'py, PyAny>,
    run_by_others: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let py = told.py();
    let mut places = Places {
        tasks: Vec::new(),
        by_task: PyDict::new(py),
    };
    let mut reports = Vec::new();
    for report in told.try_iter()? {
        let report = report?.cast_into::<PyTuple>()?;
        let place = places.of(&report.get_item(0)?)?;
        let status: String = report.get_item(1)?.extract()?;
        // Other statuses say nothing here, just as this one.
        let status = Status::from_name(&status).unwrap_or(Status::Running);
        reports.push((place, status, report.get_item(2)?.is_truthy()?));
    }
    let others: Vec<usize> = run_by_others
        .try_iter()?
        .map(|task| places.of(&task?))
        .collect::<PyResult<_>>()?;
    let mut sorting = Sorting::new(places.tasks.len(), reports);
    for place in others {
        sorting.run_by_other(place);
    }
    sorting.find_reasons(|place| -> PyResult<Vec<usize>> {
        let deps = places.tasks[place].call_method0("_requires")?;
        let known = deps.try_iter()?.map(|dep| places.find(&dep?));
        known.filter_map(Result::transpose).collect()
    })?;
    let sets = PyDict::new(py);
    for category in Category::ALL {
        let members = sorting.members(category).map(|place| &places.tasks[place]);
        sets.set_item(name(category), PySet::new(py, members)?)?;
    }
    Ok(sets)
}

/// What the summary says within its frame. `sets` are tasks by category, `others` are other workers
/// with the numbers of tasks that they ran, and at most `summary_length` families are listed in a
/// category; 0 is all of them.
#[pyfunction]
pub(crate) fn summary_text(
    sets: &Bound<'_, PyDict>,
    others: Vec<(String, usize)>,
    summary_length: usize,
    one_line: &str,
) -> PyResult<String> {
    let known = Known::default();
    let mut shown: [Vec<ShownTask<'_, '_>>; Category::ALL.len()] = Default::default();
    for category in Category::ALL {
        let Some(tasks) = sets.get_item(name(category))? else {
            continue;
        };
        for task in tasks.try_iter()? {
            shown[category as usize].push(ShownTask::new(task?, &known)?);
        }
    }
    Ok(Summary::of(shown, others).body(summary_length, one_line))
}

/// What is looked up once for all tasks.
#[derive(Default)]
struct Known<'py> {
    /// The parameters of a class, by its address.
    params: RefCell<HashMap<usize, Vec<NamedParam<'py>>>>,
    /// Values by their texts, by class and parameter.
    values: RefCell<HashMap<(usize, String, String), Bound<'py, PyAny>>>,
}

#[derive(Clone)]
struct NamedParam<'py> {
    name: Bound<'py, PyString>,
    param: Bound<'py, PyAny>,
}

/// A task of Python. What fails over one of its parameters is shown in another way: the summary
/// never fails over how a task looks.
struct ShownTask<'a, 'py> {
    task: Bound<'py, PyAny>,
    family: String,
    known: &'a Known<'py>,
}

impl<'a, 'py> ShownTask<'a, 'py> {
    fn new(task: Bound<'py, PyAny>, known: &'a Known<'py>) -> PyResult<Self> {
        Ok(Self {
            family: task.getattr("task_family")?.str()?.to_string(),
            task,
            known,
        })
    }

    fn class(&self) -> usize {
        self.task.get_type().as_ptr() as usize
    }

    fn named_params(&self) -> Vec<NamedParam<'py>> {
        let class = self.class();
        if let Some(params) = self.known.params.borrow().get(&class) {
            return params.clone();
        }
        let params = read_params(&self.task).unwrap_or_default();
        let mut known = self.known.params.borrow_mut();
        known.insert(class, params.clone());
        params
    }

    fn named_param(&self, name: &str) -> Option<NamedParam<'py>> {
        let mut params = self.named_params().into_iter();
        params.find(|param| param.name == name)
    }
}

fn read_params<'py>(task: &Bound<'py, PyAny>) -> PyResult<Vec<NamedParam<'py>>> {
    let params = task.call_method0("get_params")?.cast_into::<PyList>()?;
    params
        .iter()
        .map(|pair| {
            let (name, param) = pair.extract()?;
            Ok(NamedParam { name, param })
        })
        .collect()
}

fn serialize(param: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> String {
    let text = param
        .call_method1("serialize", (value,))
        .and_then(|text| text.str());
    match text.or_else(|_| value.str()) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => String::new(),
    }
}

impl Summarized for ShownTask<'_, '_> {
    fn family(&self) -> &str {
        &self.family
    }

    fn display_name(&self) -> String {
        match self.task.str() {
            Ok(text) => text.to_string_lossy().into_owned(),
            Err(_) => format!("{}(...)", self.family),
        }
    }

    fn params(&self) -> Vec<ParamInfo> {
        let shown = self.named_params().into_iter().map(|named| {
            let name = named.name.to_string_lossy().into_owned();
            let value = match self.task.getattr(&named.name) {
                Ok(value) => {
                    let text = serialize(&named.param, &value);
                    let key = (self.class(), name.clone(), text.clone());
                    self.known.values.borrow_mut().insert(key, value);
                    text
                }
                Err(_) => String::new(),
            };
            ParamInfo {
                name,
                value,
                significant: true,
                visibility: Default::default(),
            }
        });
        shown.collect()
    }

    fn next_in_enumeration(&self, param: &str, value: &str) -> Option<String> {
        let key = (self.class(), param.to_owned(), value.to_owned());
        let value = self.known.values.borrow().get(&key)?.clone();
        let param = self.named_param(param)?.param;
        let next = param.call_method1("next_in_enumeration", (value,)).ok()?;
        (!next.is_none()).then(|| serialize(&param, &next))
    }
}
