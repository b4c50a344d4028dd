"""Luigi's public names, on Condotta's engine.

A pipeline is made of :class:`Task` classes with :class:`Parameter` attributes; :func:`build` and :func:`run` run it.
"""

import importlib
import sys
import warnings

import condotta._engine  # noqa: F401  before the modules below: they share the names that it makes
from luigi import configuration, event, interface, local_target, parameter, rpc, target, task
from luigi.__version__ import VERSION
from luigi.event import Event
from luigi.execution_summary import LuigiStatusCode
from luigi.interface import build, run
from luigi.local_target import LocalTarget
from luigi.parameter import (
    BoolParameter,
    ChoiceListParameter,
    ChoiceParameter,
    DateHourParameter,
    DateIntervalParameter,
    DateMinuteParameter,
    DateParameter,
    DateSecondParameter,
    DictParameter,
    EnumListParameter,
    EnumParameter,
    FloatParameter,
    IntParameter,
    ListParameter,
    MonthParameter,
    NumericalParameter,
    OptionalBoolParameter,
    OptionalChoiceParameter,
    OptionalDictParameter,
    OptionalFloatParameter,
    OptionalIntParameter,
    OptionalListParameter,
    OptionalNumericalParameter,
    OptionalParameter,
    OptionalPathParameter,
    OptionalStrParameter,
    OptionalTupleParameter,
    Parameter,
    PathParameter,
    StrParameter,
    TaskParameter,
    TimeDeltaParameter,
    TupleParameter,
    YearParameter,
)
from luigi.rpc import RemoteScheduler, RPCError
from luigi.target import Target
from luigi.task import (
    Config,
    DynamicRequirements,
    ExternalTask,
    Task,
    WrapperTask,
    auto_namespace,
    namespace,
)

__version__ = VERSION
__all__ = [
    "BoolParameter",
    "ChoiceListParameter",
    "ChoiceParameter",
    "Config",
    "DateHourParameter",
    "DateIntervalParameter",
    "DateMinuteParameter",
    "DateParameter",
    "DateSecondParameter",
    "DictParameter",
    "DynamicRequirements",
    "EnumListParameter",
    "EnumParameter",
    "Event",
    "ExternalTask",
    "FloatParameter",
    "IntParameter",
    "ListParameter",
    "LocalTarget",
    "LuigiStatusCode",
    "MonthParameter",
    "NumericalParameter",
    "OptionalBoolParameter",
    "OptionalChoiceParameter",
    "OptionalDictParameter",
    "OptionalFloatParameter",
    "OptionalIntParameter",
    "OptionalListParameter",
    "OptionalNumericalParameter",
    "OptionalParameter",
    "OptionalPathParameter",
    "OptionalStrParameter",
    "OptionalTupleParameter",
    "Parameter",
    "PathParameter",
    "RPCError",
    "RemoteScheduler",
    "StrParameter",
    "Target",
    "Task",
    "TaskParameter",
    "TimeDeltaParameter",
    "TupleParameter",
    "WrapperTask",
    "YearParameter",
    "__version__",
    "auto_namespace",
    "build",
    "configuration",
    "event",
    "interface",
    "local_target",
    "namespace",
    "parameter",
    "rpc",
    "run",
    "target",
    "task",
]

# Word for word, blanks included, what users filter by.
_AUTOLOAD_WARNING = """
        Autoloading range tasks by default has been deprecated and will be removed in a future version.
        To get the behavior now add an option to luigi.cfg:

          [core]
            autoload_range: false

        Alternately set the option to true to continue with existing behaviour and suppress this warning.
    """


def _autoload_range() -> None:
    """Brings in the range tasks for the command line, unless ``[core] autoload_range`` is false."""
    config = configuration.get_config()
    if not config.has_option("core", "autoload_range"):
        # Said in this module's name, as Luigi does: Python shows it to those who ask for such warnings.
        warnings.warn(_AUTOLOAD_WARNING, DeprecationWarning, stacklevel=2)
    if config.getboolean("core", "autoload_range", True):
        importlib.import_module("luigi.tools.range")
        globals()["range"] = sys.modules["luigi.tools.range"]
        __all__.append("range")


_autoload_range()
