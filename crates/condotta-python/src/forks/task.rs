//! What of a task is as `luigi.Task` has it, so that it need not be asked.

use pyo3::{
    prelude::*,
    types::{PyDict, PyInt, PyString},
};

use crate::{
    built_in::{BuiltIn, built_in, has},
    names::{Names, names},
};

/// What is known of a class of tasks. It is kept with the class's parameters, and dropped with them when an
/// attribute of the class is set.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct Facts {
    /// How lines of the log show a task: its family, and the parameters that are shown. `None` where the class
    /// has its own way.
    shown: Option<(String, Vec<Shown>)>,
    requires_nothing: bool,
    /// No parameter holds anything that only the worker may see.
    is_public: bool,
    says_its_events: bool,
    /// What a report says of a task is what the scheduler knows already.
    is_described: bool,
}

/// A parameter in the text of a task.
struct Shown {
    name: Py<PyString>,
    text: String,
    param: Py<PyAny>,
    /// Numbers and texts are shown as they are.
    plain: bool,
}

impl Facts {
    fn find(kind: &Bound<'_, PyAny>, plan: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = kind.py();
        let (names, ours) = (names(py), built_in(py)?);
        let all = |attributes: &[(&Py<PyString>, &Py<PyAny>)]| -> PyResult<bool> {
            for (name, own) in attributes {
                if !kind.getattr(name.bind(py))?.is(*own) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        look_up_lent(kind)?;
        let usual = all(&[(&names.getattribute, &ours.object_getattribute)])?;
        Ok(Self {
            shown: if usual
                && all(&[
                    (&names.repr, &ours.task_repr),
                    (&names.str, &ours.object_str),
                ])? {
                shown(plan, names, ours)?
            } else {
                None
            },
            requires_nothing: usual
                && all(&[
                    (&names.deps, &ours.task_deps),
                    (&names.requires_with_bases, &ours.task_requires_with_bases),
                    (&names.requires, &ours.task_requires),
                ])?,
            is_public: usual && holds_only_what_is_public(plan, names, ours)?,
            says_its_events: usual && all(&[(&names.trigger_event, &ours.task_trigger_event)])?,
            is_described: usual
                && all(&[
                    (&names.process_resources, &ours.task_process_resources),
                    (&names.to_str_params, &ours.task_to_str_params),
                    (&names.owner_list, &ours.task_owner_list),
                    (
                        &names.get_param_visibilities,
                        &ours.task_get_param_visibilities,
                    ),
                    (&names.owner_email, &ours.task_owner_email),
                    (&names.retry_count, &ours.task_retry_count),
                    (&names.disable_hard_timeout, &ours.task_disable_hard_timeout),
                    (&names.disable_window, &ours.task_disable_window),
                ])?,
        })
    }
}

/// Finds what a run lends to its task. Python notes what was looked up in a class, and a process that is the first to
/// do so would have to copy the memory for the note.
fn look_up_lent(kind: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = kind.py();
    let forwarded = names(py).forward_reporter_attributes.bind(py);
    let forwarded = built_in(py)?.task_process.bind(py).getattr(forwarded)?;
    for name in forwarded.cast::<PyDict>()?.values() {
        // What is odd there is found when it is lent.
        let _ = kind.getattr_opt(name.cast::<PyString>()?);
    }
    Ok(())
}

fn holds_only_what_is_public(
    plan: &Bound<'_, PyAny>,
    names: &Names,
    ours: &BuiltIn,
) -> PyResult<bool> {
    let py = plan.py();
    if !plan.getattr(names.standard.bind(py))?.is_truthy()? {
        return Ok(false);
    }
    let params = plan.getattr(names.by_name.bind(py))?;
    for param in params.cast::<PyDict>()?.values() {
        if param.getattr(names.visibility.bind(py))?.ne(&ours.public)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn shown(
    plan: &Bound<'_, PyAny>,
    names: &Names,
    ours: &BuiltIn,
) -> PyResult<Option<(String, Vec<Shown>)>> {
    let py = plan.py();
    let family = plan.getattr(names.family.bind(py))?;
    if family.is_none() || !plan.getattr(names.standard.bind(py))?.is_truthy()? {
        return Ok(None);
    }
    let mut params = Vec::new();
    for (name, param) in plan.getattr(names.by_name.bind(py))?.cast::<PyDict>()? {
        if param.getattr(names.significant.bind(py))?.is_truthy()? {
            params.push(Shown {
                text: name.extract()?,
                name: name.cast_into::<PyString>()?.unbind(),
                plain: has(&param, &names.serialize, &ours.parameter_serialize)?,
                param: param.unbind(),
            });
        }
    }
    Ok(Some((family.extract()?, params)))
}

/// What is known of the class of a task, `None` where it may change unseen.
fn facts<'py>(task: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Facts>>> {
    let py = task.py();
    let names = names(py);
    let kind = task.get_type().into_any();
    let Some(plan) = kind.getattr_opt(names.param_plan.bind(py))? else {
        return Ok(None);
    };
    if plan.is_none() || plan.getattr(names.watched.bind(py))?.is_truthy()? {
        return Ok(None);
    }
    let kept = plan.getattr(names.facts.bind(py))?;
    if let Ok(facts) = kept.cast_into::<Facts>() {
        return Ok(Some(facts));
    }
    let facts = Bound::new(py, Facts::find(&kind, &plan)?)?;
    plan.setattr(names.facts.bind(py), &facts)?;
    Ok(Some(facts))
}

/// What a run need not ask of its task, found out before the process of the run was forked.
#[derive(Default)]
pub(super) struct Known {
    pub(super) shown: Option<String>,
    pub(super) requires_nothing: bool,
    /// Nobody could hear of an event.
    pub(super) is_quiet: bool,
}

pub(super) fn known(task: &Bound<'_, PyAny>) -> PyResult<Known> {
    let py = task.py();
    let names = names(py);
    let Some(facts) = facts(task)? else {
        return Ok(Known::default());
    };
    let facts = facts.get();
    let own = task.getattr(names.dict.bind(py))?;
    let own = own.cast::<PyDict>()?;
    let is_own = |name: &Py<PyString>| own.contains(name.bind(py));
    Ok(Known {
        shown: text(task, facts, own)?,
        requires_nothing: facts.requires_nothing
            && !is_own(&names.deps)?
            && !is_own(&names.requires_with_bases)?
            && !is_own(&names.requires)?,
        is_quiet: facts.says_its_events
            && !is_own(&names.trigger_event)?
            && !task.getattr(names.event_callbacks.bind(py))?.is_truthy()?,
    })
}

/// What `Task.__repr__` gives, `None` if the class has its own way to be shown.
fn text(
    task: &Bound<'_, PyAny>,
    facts: &Facts,
    own: &Bound<'_, PyDict>,
) -> PyResult<Option<String>> {
    let py = task.py();
    let names = names(py);
    let Some((family, params)) = &facts.shown else {
        return Ok(None);
    };
    let Some(values) = own.get_item(names.param_kwargs.bind(py))? else {
        return Ok(None);
    };
    let Ok(values) = values.cast::<PyDict>() else {
        return Ok(None);
    };
    let mut shown = family.clone();
    let mut before = '(';
    for param in params {
        let Some(value) = values.get_item(&param.name)? else {
            return Ok(None);
        };
        let is_plain = param.plain
            && (value.is_exact_instance_of::<PyInt>() || value.is_exact_instance_of::<PyString>());
        let value = if is_plain {
            value.str()?
        } else {
            let serialize = names.serialize.bind(py);
            param
                .param
                .bind(py)
                .call_method1(serialize, (value,))?
                .str()?
        };
        shown.push(before);
        if before == ',' {
            shown.push(' ');
        }
        shown.push_str(&param.text);
        shown.push('=');
        shown.push_str(&value.to_cow()?);
        before = ',';
    }
    if before == '(' {
        shown.push('(');
    }
    shown.push(')');
    Ok(Some(shown))
}

/// Whether nothing of the task is private or hidden.
pub(super) fn is_public(task: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(facts(task)?.is_some_and(|facts| facts.get().is_public))
}

/// Whether what a report says of the task is what the scheduler knows already.
pub(crate) fn is_described(task: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = task.py();
    let names = names(py);
    let Some(facts) = facts(task)?.filter(|facts| facts.get().is_described) else {
        return Ok(false);
    };
    drop(facts);
    let own = task.getattr(names.dict.bind(py))?;
    let own = own.cast::<PyDict>()?;
    for name in [
        &names.process_resources,
        &names.to_str_params,
        &names.owner_list,
        &names.get_param_visibilities,
    ] {
        if own.contains(name.bind(py))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether anybody could hear of an event of this task.
pub(super) fn has_listeners(task: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = task.py();
    let (names, ours) = (names(py), built_in(py)?);
    Ok(task.getattr(names.event_callbacks.bind(py))?.is_truthy()?
        || !has(task, &names.trigger_event, &ours.task_trigger_event)?)
}
