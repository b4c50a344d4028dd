"""The command line: flags of all parameters, the root task, modules, help, and values for tasks."""

import pytest

import luigi
import luigi.interface  # the module of the flags --module, --help and --help-all
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import TaskClassNotFoundException


class LineJob(luigi.Task):
    size = luigi.IntParameter(description="how big it is")
    some_text = luigi.Parameter(default="none")
    fast = luigi.BoolParameter()


class LineHelper(luigi.Task):
    level = luigi.IntParameter(default=1, description="how high it is")


def test_the_root_task_with_its_own_and_its_qualified_flags():
    assert CmdlineParser(["LineJob", "--size", "3", "--fast"]).get_task_obj() is LineJob(3, fast=True)
    with CmdlineParser.global_instance(["LineJob", "--LineJob-size", "4", "--LineJob-some-text", "x"]) as parser:
        assert CmdlineParser.get_instance() is parser
        assert parser.get_task_obj() is LineJob(4, "x")
        assert parser.known_args.LineJob_size == "4"
    assert CmdlineParser.get_instance() is None


def test_flags_of_other_tasks_set_their_values_while_the_command_line_is_in_force():
    with CmdlineParser.global_instance(["LineJob", "--size", "3", "--LineHelper-level", "7"]):
        assert LineHelper().level == 7
        assert LineHelper(2).level == 2
    assert LineHelper().level == 1


def test_an_empty_flag_counts_as_none():
    with CmdlineParser.global_instance(["LineJob", "--size", "1", "--LineJob-some-text", ""]) as parser:
        assert parser.get_task_obj().some_text == "none"


def test_a_second_command_line_must_be_allowed():
    with CmdlineParser.global_instance(["LineHelper"]) as outer:
        with pytest.raises(AssertionError):
            with CmdlineParser.global_instance(["LineJob", "--size", "1"]):
                pass
        with CmdlineParser.global_instance(["LineJob", "--size", "1"], allow_override=True) as inner:
            assert CmdlineParser.get_instance() is inner
        assert CmdlineParser.get_instance() is outer


def test_a_command_line_that_does_not_parse_leaves_none_in_force(capsys):
    with pytest.raises(SystemExit), CmdlineParser.global_instance(["LineJob", "--no-such-flag"]):
        pass
    assert CmdlineParser.get_instance() is None
    assert "unrecognized arguments: --no-such-flag" in capsys.readouterr().err


def test_the_module_is_imported_for_its_tasks(folder_of_its_own, monkeypatch):
    (folder_of_its_own / "brought.py").write_text(
        "import luigi\nclass Brought(luigi.Task):\n    n = luigi.IntParameter()\n"
    )
    monkeypatch.syspath_prepend(folder_of_its_own)
    task = CmdlineParser(["--module", "brought", "Brought", "--n", "5"]).get_task_obj()
    assert (task.task_module, task.n) == ("brought", 5)


def test_no_task_and_an_unknown_task():
    with pytest.raises(SystemExit, match="No task specified"):
        CmdlineParser([])
    with pytest.raises(TaskClassNotFoundException, match="No task LineHelpr. Did you mean:\nLineHelper"):
        CmdlineParser(["LineHelpr", "--whatever"])


def test_help_shows_the_flags_of_the_root_task_and_help_all_those_of_all(capsys):
    with pytest.raises(SystemExit) as exit_of_help:
        CmdlineParser(["LineJob", "--help"])
    some = capsys.readouterr().out
    assert exit_of_help.value.code is None
    assert "--size" in some
    assert "how big it is" in some
    assert "how high it is" not in some
    with pytest.raises(SystemExit):
        CmdlineParser(["LineJob", "--help-all"])
    assert "--LineHelper-level" in capsys.readouterr().out
