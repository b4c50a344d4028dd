"""Type checking: the types of parameters without the plugin, task calls with it, and the stub beside the classes."""

import subprocess
import sys
from pathlib import Path

import pytest

import luigi

HEADER = "import datetime\nimport enum\nimport luigi\nclass Color(enum.Enum):\n    red = 1\n"

PACKAGES = str(Path(luigi.__file__).parents[1])
# Mypy finds what is installed by itself, and refuses to be told of it.
ENVIRONMENT = {"PYTHONPATH": ":".join(sys.path)} | ({} if "site-packages" in PACKAGES else {"MYPYPATH": PACKAGES})


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """mypy's cache, so that what does not change is analysed once."""
    return tmp_path_factory.mktemp("cache")


def mypy(program, cache, plugin=False, name="program"):
    """Returns mypy's messages on a program, without the file's name."""
    Path(f"{name}.py").write_text(HEADER + program)
    Path("mypy.ini").write_text("[mypy]\nignore_missing_imports = True\n" + "plugins = luigi.mypy\n" * plugin)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--follow-imports=silent",
            "--no-error-summary",
            f"--cache-dir={cache}",
            f"{name}.py",
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.stderr == ""
    return [line.split(": ", 1)[1] for line in done.stdout.splitlines()]


TYPES = {
    "luigi.Parameter()": "str",
    "luigi.IntParameter()": "int",
    "luigi.FloatParameter(default=1.0)": "float",
    "luigi.BoolParameter()": "bool",
    "luigi.MonthParameter()": "datetime.date",
    "luigi.DateMinuteParameter()": "datetime.datetime",
    "luigi.DateIntervalParameter()": "luigi.date_interval.DateInterval",
    "luigi.TimeDeltaParameter()": "datetime.timedelta",
    "luigi.TaskParameter()": "type[luigi.task.Task]",
    "luigi.EnumParameter(enum=Color)": "program.Color",
    "luigi.EnumListParameter(enum=Color)": "tuple[program.Color, ...]",
    "luigi.DictParameter()": "dict[Any, Any]",
    "luigi.TupleParameter()": "tuple[Any, ...]",
    "luigi.NumericalParameter(var_type=int, min_value=1, max_value=2)": "int",
    "luigi.ChoiceParameter(choices=[1, 2], var_type=int)": "int",
    "luigi.ChoiceListParameter(choices=['a'])": "tuple[str, ...]",
    "luigi.PathParameter()": "pathlib.Path",
    "luigi.OptionalParameter()": "str | None",
    "luigi.OptionalIntParameter(default=None)": "int | None",
    "luigi.OptionalNumericalParameter(var_type=int, min_value=1, max_value=2)": "int | None",
}


@pytest.mark.parametrize("plugin", [False, True])
def test_the_type_of_a_value_follows_from_the_parameter(cache, plugin):
    lines = [f"    p{number} = {parameter}" for number, parameter in enumerate(TYPES)]
    reads = [f"        reveal_type(self.p{number})" for number in range(len(TYPES))]
    program = "\n".join(["class T(luigi.Task):", *lines, "    def run(self) -> None:", *reads, ""])
    program += "reveal_type(T.p1)\nT(p1=3)\n"
    revealed = [f'note: Revealed type is "{kind}"' for kind in TYPES.values()]
    assert mypy(program, cache, plugin) == [*revealed, 'note: Revealed type is "luigi.parameter.Parameter[int]"']


def test_calls_of_tasks_are_checked(cache):
    program = """
class Base(luigi.Task):
    n: int = luigi.IntParameter()
    when: luigi.DateParameter = luigi.DateParameter()
    colors: luigi.EnumListParameter[Color] = luigi.EnumListParameter(enum=Color)
    maybe: luigi.OptionalIntParameter = luigi.OptionalIntParameter()
class T(Base):
    if True:
        text: str = luigi.Parameter(default="x")
T(n=1, when=datetime.date.today(), colors=(Color.red,), maybe=None, text="y")
T()
T(n="1")
T(when=5)
T(colors=Color.red)
T(maybe="x")
T(nothing=1)
reveal_type(T().when)
reveal_type(T().maybe)
"""
    wrong = 'error: Argument "{}" to "T" has incompatible type "{}"; expected "{}"  [arg-type]'
    assert mypy(program, cache, plugin=True) == [
        wrong.format("n", "str", "int"),
        wrong.format("when", "int", "date"),
        wrong.format("colors", "Color", "tuple[Color, ...]"),
        wrong.format("maybe", "str", "int | None"),
        'error: Unexpected keyword argument "nothing" for "T"  [call-arg]',
        'note: Revealed type is "datetime.date"',
        'note: Revealed type is "int | None"',
    ]


def test_the_plugin_takes_values_types_as_annotations(cache):
    program = """
class T(luigi.Task):
    a: int = luigi.ChoiceParameter(choices=[1, 2])
    b: tuple[str, ...] = luigi.ChoiceListParameter(choices=["x"])
    c: Color = luigi.EnumParameter(enum=Color)
    d: int | None = luigi.OptionalIntParameter(default=None)
    e: list[float] = luigi.ListParameter()
    wrong: str = luigi.Parameter(default=1)
    also_wrong: str = luigi.ChoiceParameter(choices=[1])
"""
    wrong = 'error: Incompatible types in assignment (expression has type "int", variable has type "str")  [assignment]'
    assert mypy(program, cache, plugin=True) == [wrong, wrong]


def test_classes_without_annotations_and_with_their_own_constructor_are_left_alone(cache):
    program = """
class Unannotated(luigi.Task):
    n = luigi.IntParameter()
class Own(luigi.Task):
    n: int = luigi.IntParameter()
    def __init__(self, number: int) -> None:
        super().__init__(n=number)
Unannotated("not", checked=1)
Own(3)
Own(n=3)
"""
    assert mypy(program, cache, plugin=True) == ['error: Unexpected keyword argument "n" for "Own"  [call-arg]']


def test_the_parameters_of_imported_tasks_are_known(cache):
    assert mypy("class Far(luigi.Task):\n    n: int = luigi.IntParameter()\n", cache, plugin=True, name="far") == []
    use = "import far\nclass Near(far.Far):\n    m: int = luigi.IntParameter()\nNear(n={}, m=1)\n"
    assert mypy(use.format(1), cache, plugin=True) == []
    assert mypy(use.format("'x'"), cache, plugin=True) == [
        'error: Argument "n" to "Near" has incompatible type "str"; expected "int"  [arg-type]'
    ]


def test_the_stub_tells_what_the_classes_are(cache):
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "luigi.parameter"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.returncode, done.stdout) == (0, "Success: no issues found in 1 module\n"), done.stdout
