"""The command that lists the tasks between a task and those that it depends on."""

import sys
import types

import pytest

import luigi
from luigi.local_target import LocalTarget
from luigi.tools import deps


class Link(luigi.Task):
    """A task of a graph that the test gives by name."""

    name = luigi.Parameter()
    graph = {}

    def requires(self):
        return [Link(name) if name[0].islower() else Goal(name) for name in self.graph.get(self.name, ())]

    def output(self):
        return LocalTarget("out/" + self.name)


class Goal(Link):
    """A task of the family that is looked for."""


@pytest.fixture
def graph(monkeypatch):
    def put(**edges):
        monkeypatch.setattr(Link, "graph", {name: targets.split() for name, targets in edges.items()})
        return Link("a")

    return put


def names(tasks):
    return sorted(task.name for task in tasks)


def test_the_tasks_on_the_way_to_a_family_are_found(graph):
    root = graph(a="b c", b="G", c="d", d="")
    assert names(deps.find_deps(root, "Goal")) == ["G", "a", "b"]
    assert names(deps.find_deps(root, "Link")) == ["a", "b", "c", "d"]
    assert deps.find_deps(root, "Unknown") == set()


def test_what_a_found_task_needs_itself_is_not_listed(graph):
    assert names(deps.find_deps(graph(a="G", G="b"), "Goal")) == ["G", "a"]
    assert names(deps.find_deps(graph(a="G", G="b", b="H"), "Goal")) == ["G", "H", "a", "b"]


def test_without_a_family_everything_is_found(graph):
    assert names(deps.find_deps(graph(a="b c", b="G"), None)) == ["G", "a", "b", "c"]


def test_a_graph_with_very_many_paths_is_no_trouble(graph):
    layers = {f"{side}{depth}": f"x{depth + 1} y{depth + 1}" for depth in range(40) for side in "xy"}
    root = graph(a="x0 y0", **layers, x40="G")
    assert len(deps.find_deps(root, "Goal")) == 2 + 2 * 40 + 1


def test_paths_come_one_after_the_other(graph):
    paths = list(deps.dfs_paths(graph(a="b", b="G"), "Goal"))
    assert [task.name for task in paths] == ["a", "b", "G"]
    assert [task.name for task in deps.dfs_paths(graph(a="b"), None)] == ["a", "a", "b"]
    assert deps.get_task_requires(graph(a="b b")) == {Link("b")}


def test_the_command_prints_tasks_and_outputs(graph, monkeypatch, capsys):
    graph(a="b", b="G")
    monkeypatch.setattr(sys, "argv", ["luigi-deps", "Link", "--name", "b", "--upstream-family", "Goal"])
    deps.main()
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == [
        "                       : [FileSystem] out/G",
        "                       : [FileSystem] out/b",
        "   TASK: Goal(name=G)",
        "   TASK: Link(name=b)",
    ]


@pytest.mark.parametrize("shape", [lambda one, two: [one, two], lambda one, two: {"one": one, "two": two}])
def test_the_command_prints_every_output(shape, monkeypatch, capsys):
    class Outputs(luigi.Task):
        def output(self):
            return shape(LocalTarget("1"), LocalTarget("2"))

    monkeypatch.setattr(deps, "find_deps_cli", lambda: {Outputs()})
    deps.main()
    assert capsys.readouterr().out == (
        "   TASK: Outputs()\n                       : [FileSystem] 1\n                       : [FileSystem] 2\n"
    )


def test_each_kind_of_output_is_described(monkeypatch):
    class S3Target(LocalTarget):
        pass

    class RemoteTarget(LocalTarget):
        _fs = types.SimpleNamespace(remote_context=types.SimpleNamespace(host="far"))

    class PostgresTarget:
        host, table = "base", "sales"

    for name, kind in (("s3", S3Target), ("ssh", RemoteTarget), ("postgres", PostgresTarget)):
        module = types.ModuleType(name)
        setattr(module, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, "luigi.contrib." + name, module)
    outputs = [S3Target("s3://x"), RemoteTarget("/x"), PostgresTarget(), LocalTarget("x"), object()]
    assert list(map(deps.get_task_output_description, outputs)) == [
        "[S3] s3://x",
        "[SSH] far:/x",
        "[DB] base:sales",
        "[FileSystem] x",
        "to be determined",
    ]
