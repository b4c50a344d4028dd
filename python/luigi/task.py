"""The task: what it requires, what it outputs, how it runs; and helpers over structures of tasks and targets."""

from __future__ import annotations

import copy
import functools
import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from json.encoder import JSONEncoder
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from condotta import _engine
from luigi import _warnings, configuration, parameter
from luigi._param_plan import ParamPlan, resolve
from luigi._structures import flatten, flatten_output  # noqa: F401
from luigi.parameter import ParameterVisibility, UnconsumedParameterWarning
from luigi.task_register import Register

try:
    from _md5 import md5  # part of the interpreter, and loaded sooner than OpenSSL's
except ImportError:
    from hashlib import md5

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**promises: Any) -> Callable[[Any], Any]:
        """Marks a class for type checkers, as ``typing.dataclass_transform`` of newer Pythons does."""

        def mark(cls: Any) -> Any:
            cls.__dataclass_transform__ = promises
            return cls

        return mark


Parameter = parameter.Parameter
logger = logging.getLogger("luigi-interface")

TASK_ID_INCLUDE_PARAMS = 3
TASK_ID_TRUNCATE_PARAMS = 16
TASK_ID_TRUNCATE_HASH = 10
TASK_ID_INVALID_CHAR_REGEX = re.compile(r"[^A-Za-z0-9_]")
_STANDARD_REGEX = TASK_ID_INVALID_CHAR_REGEX
_SAME_AS_PYTHON_MODULE = "_same_as_python_module"

_PRIVATE = ParameterVisibility.PRIVATE
_PUBLIC = ParameterVisibility.PUBLIC
_canonical_json = JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_AnyTask = TypeVar("_AnyTask", bound="Task")


def namespace(namespace: str | None = None, scope: str = "") -> None:
    """Sets the namespace of the task classes that are declared from now on.

    :param namespace: what goes before the class's name in its family, with a dot between; nothing by default.
    :param scope: the module or package whose classes are meant, usually ``__name__``; all by default. The most specific
        scope wins. A class with its own or an inherited ``task_namespace`` has that instead.
    """
    Register._default_namespace_dict[scope] = namespace or ""


def auto_namespace(scope: str = "") -> None:
    """Makes the module's name the namespace of the task classes that are declared from now on.

    Call it in the ``__init__.py`` of a package with ``scope=__name__``; families then never clash between modules.
    """
    namespace(namespace=_SAME_AS_PYTHON_MODULE, scope=scope)


def task_id_str(task_family: str, params: Mapping[str, str]) -> str:
    """Returns the id of a task: its family, the beginnings of its first values, and a hash of all its values.

    :param task_family: the family; it is not part of the hash.
    :param params: the serialised values of the parameters that make the task different from others, by name.
    """
    if TASK_ID_INVALID_CHAR_REGEX is _STANDARD_REGEX:
        lengths = TASK_ID_INCLUDE_PARAMS, TASK_ID_TRUNCATE_PARAMS, TASK_ID_TRUNCATE_HASH
        task_id = _engine.task_id(task_family, params, *lengths)
        if task_id is not None:
            return task_id
    # There is something of the user's own in it.
    digest = md5(_canonical_json(dict(params)).encode("ascii"), usedforsecurity=False).hexdigest()
    summary = "_".join([params[name][:TASK_ID_TRUNCATE_PARAMS] for name in sorted(params)[:TASK_ID_INCLUDE_PARAMS]])
    return f"{task_family}_{TASK_ID_INVALID_CHAR_REGEX.sub('_', summary)}_{digest[:TASK_ID_TRUNCATE_HASH]}"


class BulkCompleteNotImplementedError(NotImplementedError):
    """The task class has no ``bulk_complete`` of its own."""


@dataclass_transform(eq_default=False, order_default=False, kw_only_default=True, field_specifiers=(Parameter,))
class Task(metaclass=Register):
    """A unit of work, identified by its class and the values of its parameters.

    A subclass declares parameters as class attributes and overrides :meth:`requires`, :meth:`output` and :meth:`run`.
    Equal calls of a class give the same object; two tasks are equal if their class and their ``task_id`` are.
    """

    _event_callbacks: dict[Any, dict[Any, set]] = {}

    #: Of the tasks that could run, the scheduler hands out that with the highest number.
    priority: Any = 0
    #: A disabled task is announced to the scheduler, but not run.
    disabled: Any = False
    #: How many units of which resources a run takes, such as ``{"database": 1}``.
    resources: Any = {}
    #: Seconds after which a run is ended; 0 for never, ``None`` for the worker's setting.
    worker_timeout: Any = None
    #: How many tasks may run together as one.
    max_batch_size: Any = float("inf")

    #: Overrides the namespace in a subclass. To read the namespace, call :meth:`get_task_namespace`.
    task_namespace: Any = "__not_user_specified"
    __not_user_specified = task_namespace
    _namespace_at_class_time: Any = None
    _visible_in_registry = True

    @property
    def batchable(self) -> Any:
        """Whether this task can run together with others; by default, whether a parameter has a batch method."""
        return bool(self.batch_param_names())

    @property
    def retry_count(self) -> Any:
        """After how many failures the scheduler disables the task; ``None`` for the scheduler's setting."""
        return None

    @property
    def disable_hard_timeout(self) -> Any:
        """Seconds after the first failure when the next one disables the task; ``None`` for the scheduler's setting."""
        return None

    @property
    def disable_window(self) -> Any:
        """Seconds for which a failure counts; ``None`` for the scheduler's setting."""
        return None

    @property
    def disable_window_seconds(self) -> Any:
        """The old name of :attr:`disable_window`."""
        _warnings.warn(
            "Use of `disable_window_seconds` has been deprecated, use `disable_window` instead", DeprecationWarning
        )
        return self.disable_window

    @property
    def owner_email(self) -> Any:
        """Who gets mail about this task besides the configured receiver: addresses with commas between, or a list."""
        return None

    def _owner_list(self) -> list[str]:
        """Returns :attr:`owner_email` as a list."""
        owners = self.owner_email
        if isinstance(owners, str):
            return owners.split(",")
        return [] if owners is None else owners

    @property
    def use_cmdline_section(self) -> Any:
        """Whether the flags of the parameters have the family before the name."""
        return True

    @property
    def accepts_messages(self) -> Any:
        """Whether the scheduler may send messages to a run of this task."""
        return False

    @property
    def task_module(self) -> str:
        """The module to import to get the class."""
        return self.__class__.__module__

    @property
    def task_family(self) -> str:
        """The family. :meth:`get_task_family` gives the same."""
        return self.__class__.task_family  # type: ignore[return-value]

    @classmethod
    def event_handler(cls, event: str) -> Callable[[Any], Any]:
        """Decorates a function that is called when the event is triggered on a task of this class or a subclass."""

        def wrapped(callback: Any) -> Any:
            cls._event_callbacks.setdefault(cls, {}).setdefault(event, set()).add(callback)
            return callback

        return wrapped

    @classmethod
    def remove_event_handler(cls, event: str, callback: Any) -> None:
        """Undoes :meth:`event_handler`; ``KeyError`` if there is no such handler."""
        cls._event_callbacks[cls][event].remove(callback)

    def trigger_event(self, event: str, *args: Any, **kwargs: Any) -> None:
        """Calls the handlers of the event. What they raise is logged; Ctrl-C ends the calls."""
        if not self._event_callbacks:
            return
        callbacks = [
            callback
            for task_class, by_event in self._event_callbacks.items()
            if event in by_event and isinstance(self, task_class)
            for callback in by_event[event]
        ]
        for callback in callbacks:
            try:
                callback(*args, **kwargs)
            except KeyboardInterrupt:
                return
            except BaseException:
                logger.exception("Error in event callback for %r", event)

    @classmethod
    def get_task_namespace(cls) -> str:
        """Returns the namespace of the class, the empty string if it has none."""
        if cls.task_namespace != cls.__not_user_specified:
            return cls.task_namespace
        if cls._namespace_at_class_time == _SAME_AS_PYTHON_MODULE:
            return cls.__module__
        return cls._namespace_at_class_time

    @classmethod
    def get_task_family(cls) -> str:
        """Returns the name that the class is registered by: its own, after its namespace and a dot if it has one."""
        namespace = cls.get_task_namespace()
        return f"{namespace}.{cls.__name__}" if namespace else cls.__name__

    @classmethod
    def _plan(cls) -> ParamPlan:
        plan = cls._param_plan
        if plan is None or (plan.watched and plan.is_stale()):
            overridden = {
                name
                for name, method in _STANDARD.items()
                if getattr(getattr(cls, name), "__func__", None) is not method
            }
            standard = overridden.isdisjoint(("get_params", "get_param_values"))
            fixed = overridden.isdisjoint(("get_task_family", "get_task_namespace"))
            plan = ParamPlan(cls, standard, cls.get_task_family() if fixed else None)
            type.__setattr__(cls, "_param_plan", plan)
        return plan

    @classmethod
    def get_params(cls) -> list[tuple[str, Any]]:
        """Returns ``(name, parameter)`` for each parameter, in the order in which the parameters were made."""
        return cls._plan().pairs.copy()

    @classmethod
    def batch_param_names(cls) -> list[str]:
        """Returns the names of the parameters with a batch method."""
        return [name for name, param in cls.get_params() if param._is_batchable()]

    @classmethod
    def get_param_names(cls, include_significant: bool = False) -> list[str]:
        """Returns the names of the significant parameters; with ``include_significant`` of all (Luigi's wording)."""
        return [name for name, param in cls.get_params() if include_significant or param.significant]

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """Returns ``(name, value)`` for each of ``params``, by the arguments of a call and by what stands in for them.

        Warns once about each value in the class's section of the configuration that no parameter uses.

        :param params: ``(name, parameter)`` pairs.
        :param args: the arguments by position.
        :param kwargs: the arguments by name.
        """
        family = cls.get_task_family()
        values = resolve(cls, family, params, dict(params), args, kwargs)
        config = configuration.get_config()
        if family in config.sections():
            cls._warn_on_unconsumed(config, family, {name for name, _ in values})
        return values

    @classmethod
    def _warn_on_unconsumed(cls, config: Any, family: str, used: set[str]) -> None:
        if not hasattr(cls, "_unconsumed_params"):
            type.__setattr__(cls, "_unconsumed_params", set())
        warned = cls._unconsumed_params  # type: ignore[attr-defined]
        ignored = getattr(cls, "ignore_unconsumed", ())
        for key, value in config[family].items():
            name = key.replace("-", "_")
            if name not in used and name not in ignored and f"{family}_{name}" not in warned:
                warned.add(f"{family}_{name}")
                _warnings.warn(
                    f"The configuration contains the parameter '{name}' with value '{value}' "
                    f"that is not consumed by the task '{family}'.",
                    UnconsumedParameterWarning,
                )

    @classmethod
    def _values_of_call(cls, args: tuple, kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
        """Returns what :meth:`get_param_values` would, without its warnings: to look for the instance of this call."""
        plan = cls._plan()
        if not plan.standard:
            return cls.get_param_values(cls.get_params(), args, kwargs)
        return resolve(cls, plan.family or cls.get_task_family(), plan.pairs, plan.by_name, args, kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        values = self.get_param_values(self.get_params(), args, kwargs)
        for name, value in values:
            setattr(self, name, value)
        self.param_kwargs: dict[str, Any] = dict(values)
        self._warn_on_wrong_param_types()
        significant = self.to_str_params(only_significant=True, only_public=True)
        self.task_id: str = task_id_str(self.get_task_family(), significant)
        self.__hash = hash(self.task_id)

        # The worker puts functions here for the time of a run.
        self.set_tracking_url: Any = None
        self.set_status_message: Any = None
        self.set_progress_percentage: Any = None

    @property
    def param_args(self) -> tuple:
        """The values of the parameters, in their order."""
        _warnings.warn("Use of param_args has been deprecated.", DeprecationWarning)
        return tuple(self.param_kwargs[name] for name, _ in self.get_params())

    def initialized(self) -> bool:
        """Tells whether ``Task.__init__`` was called: a subclass can forget to."""
        return hasattr(self, "task_id")

    @classmethod
    def _params_by_name(cls) -> dict[str, Any]:
        plan = cls._plan()
        return plan.by_name if plan.standard else dict(cls.get_params())

    def _warn_on_wrong_param_types(self) -> None:
        params = self._params_by_name()
        for name, value in self.param_kwargs.items():
            params[name]._warn_on_wrong_param_type(name, value)

    @classmethod
    def from_str_params(cls: type[_AnyTask], params_str: Mapping[str, Any]) -> _AnyTask:
        """Returns the task with the given serialised values.

        :param params_str: string by name. A list of strings is made one value by the parameter's batch method.
        """
        kwargs = {}
        for name, param in cls.get_params():
            if name in params_str:
                text = params_str[name]
                kwargs[name] = param._parse_list(text) if isinstance(text, list) else param.parse(text)
        return cls(**kwargs)

    def to_str_params(self, only_significant: bool = False, only_public: bool = False) -> dict[str, str]:
        """Returns the serialised values by name, never those of private parameters."""
        params = self._params_by_name()
        texts = {}
        for name, value in self.param_kwargs.items():
            param = params[name]
            visibility = param.visibility
            if visibility == _PRIVATE or (only_significant and not param.significant):
                continue
            if visibility == _PUBLIC or not only_public:
                texts[name] = param.serialize(value)
        return texts

    def _get_param_visibilities(self) -> dict[str, int]:
        params = self._params_by_name()
        visibilities = {name: params[name].visibility for name in self.param_kwargs}
        return {name: visibility.serialize() for name, visibility in visibilities.items() if visibility != _PRIVATE}

    def clone(self, cls: Any = None, **kwargs: Any) -> Any:
        """Returns a task with the values of this one where ``kwargs`` has no other.

        :param cls: the class of the new task, by default this task's. Values go over to parameters of the same name.
        """
        if cls is None:
            cls = self.__class__
        values = {
            name: kwargs[name] if name in kwargs else getattr(self, name)
            for name, _ in cls.get_params()
            if name in kwargs or hasattr(self, name)
        }
        return cls(**values)

    def __hash__(self) -> int:
        return self.__hash

    def __repr__(self) -> str:
        params = self._params_by_name()
        values: Any = self.param_kwargs.items()
        if not self._plan().standard:
            values = self.get_param_values(self.get_params(), [], self.param_kwargs)
        shown = [f"{name}={params[name].serialize(value)}" for name, value in values if params[name].significant]
        return f"{self.get_task_family()}({', '.join(shown)})"

    def __eq__(self, other: Any) -> bool:
        return self.__class__ == other.__class__ and self.task_id == other.task_id

    def complete(self) -> bool:
        """Tells whether the task is done: whether all its outputs exist. Without outputs it never is.

        Override it where something else than outputs tells.
        """
        outputs = flatten(self.output())
        if not outputs:
            _warnings.warn_of_class(f"Task {self!r} without outputs has no custom complete() method", type(self))
            return False
        return all(output.exists() for output in outputs)

    @classmethod
    def bulk_complete(cls, parameter_tuples: Any) -> Any:
        """Returns those of the parameter values whose tasks are complete.

        The range tools call it for many values at once; override it where that can be told faster than one by one.
        """
        raise BulkCompleteNotImplementedError()

    def output(self) -> Any:
        """Returns the targets that the task makes: one, or a list or dict of them. It is done when all exist.

        Workers on several machines must all be able to see them.
        """
        return []

    def requires(self) -> Any:
        """Returns the tasks that must be done before this one runs: one, or a list or dict of them."""
        return []

    def _requires(self) -> Any:
        """Returns all required tasks. A base class adds those here that are no input of its subclasses.

        An override must also return what the class before it does.
        """
        return flatten(self.requires())

    def process_resources(self) -> Any:
        """Returns the resources of a run. A base class adds its own here and leaves ``resources`` to its subclasses."""
        return self.resources

    def input(self) -> Any:
        """Returns the outputs of the required tasks, arranged as :meth:`requires` arranges the tasks."""
        return getpaths(self.requires())

    def deps(self) -> Any:
        """Returns the required tasks as a flat list. The worker asks for them here."""
        return flatten(self._requires())

    def run(self) -> Any:
        """Does the work, and makes the outputs.

        It may ``yield`` further required tasks and get their outputs. The run then begins anew when they are done.
        """

    def on_failure(self, exception: BaseException) -> Any:
        """Called when the run raised. Returns what the scheduler and the mail say of it: the traceback."""
        return f"Runtime error:\n{traceback.format_exc()}"

    def on_success(self) -> Any:
        """Called when the run ended well. Returns what the scheduler is told, by default nothing."""

    @contextmanager
    def no_unpicklable_properties(self) -> Iterator[None]:
        """Takes off the task, for a ``with`` block, what the worker put there and what can not be pickled."""
        from luigi import worker

        names = worker.TaskProcess.forward_reporter_attributes.values()
        kept = {name: getattr(self, name) for name in names if hasattr(self, name)}
        for name in kept:
            setattr(self, name, "placeholder_during_pickling")
        yield
        for name, value in kept.items():
            setattr(self, name, value)


# The methods whose answers a plan keeps, unless a class overrides them.
_STANDARD: dict[str, Any] = {
    name: getattr(Task, name).__func__
    for name in ("get_params", "get_param_values", "get_task_family", "get_task_namespace")
}


class MixinNaiveBulkComplete:
    """Gives a task class a ``bulk_complete`` that asks one task after the other: for checks that cost little."""

    @classmethod
    def bulk_complete(cls, parameter_tuples: Any) -> list[Any]:
        """Returns those of the values (a tuple or list, a dict, or a single value) whose tasks are complete."""

        def task_of(values: Any) -> Any:
            if isinstance(values, (list, tuple)):
                return cls(*values)
            return cls(**values) if isinstance(values, dict) else cls(values)  # type: ignore[call-arg]

        return [values for values in parameter_tuples if task_of(values).complete()]


class DynamicRequirements:
    """Tasks that a run yields, with a faster way to tell whether all of them are complete.

    :param requirements: the tasks: one, or a list or dict of them.
    :param custom_complete: called with the function that tells whether one task is complete; tells whether all are.
    """

    def __init__(self, requirements: Any, custom_complete: Callable[[Any], bool] | None = None) -> None:
        self.requirements = requirements
        self.custom_complete = custom_complete
        self._flat_requirements: Any = None
        self._paths: Any = None

    @property
    def flat_requirements(self) -> list[Any]:
        """The tasks as a flat list."""
        if self._flat_requirements is None:
            self._flat_requirements = flatten(self.requirements)
        return self._flat_requirements

    @property
    def paths(self) -> Any:
        """The tasks' outputs, arranged as the tasks are."""
        if self._paths is None:
            self._paths = getpaths(self.requirements)
        return self._paths

    def complete(self, complete_fn: Callable[[Any], bool] | None = None) -> bool:
        """Tells whether all tasks are complete; ``complete_fn`` tells it of one, by default its own method."""
        if complete_fn is None:
            complete_fn = _is_complete
        if self.custom_complete:
            return self.custom_complete(complete_fn)
        return all(map(complete_fn, self.flat_requirements))


def _is_complete(task: Any) -> bool:
    return task.complete()


class ExternalTask(Task):
    """A task whose output is made by something else. It is not run, only waited for."""

    run: ClassVar[Any] = None


def externalize(taskclass_or_taskobject: Any) -> Any:
    """Returns a copy of a task, or a subclass of a task class, that is external: not run, only waited for.

    What is passed stays as it is. The subclass can not be found by its family.
    """
    copied = copy.copy(taskclass_or_taskobject)
    if copied is taskclass_or_taskobject:  # copy() leaves classes alone

        @_task_wraps(taskclass_or_taskobject)
        class _External(taskclass_or_taskobject):
            _visible_in_registry = False

        copied = _External
    copied.run = None
    return copied


class WrapperTask(Task):
    """A task that only holds other tasks together: it is complete when all that it requires are."""

    def complete(self) -> bool:
        return all(map(_is_complete, flatten(self.requires())))


class Config(Task):
    """Settings rather than work: its parameters take values from its section of the configuration and from flags."""


def getpaths(struct: Any) -> Any:
    """Returns the outputs of the tasks in ``struct``, arranged in the same dicts, lists and tuples.

    Other iterables become lists; ``Exception`` for what is none of these.
    """
    if isinstance(struct, Task):
        return struct.output()
    if isinstance(struct, dict):
        return struct.__class__(zip(struct, map(getpaths, struct.values())))
    if isinstance(struct, (list, tuple)):
        return struct.__class__(map(getpaths, struct))
    try:
        return [getpaths(item) for item in struct]
    except TypeError:
        raise Exception(f"Cannot map {struct} to Task/dict/list")


def _task_wraps(task_class: Any) -> Callable[[Any], Any]:
    """Decorates a class that stands in for ``task_class``: it gets its name, module, documentation and namespace."""
    taken_over = (*functools.WRAPPER_ASSIGNMENTS, "_namespace_at_class_time")
    return functools.wraps(task_class, assigned=taken_over, updated=())
