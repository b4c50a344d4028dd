"""The command that draws the tree of a task's requirements."""

import sys
import warnings

import luigi
from luigi.tools import deps_tree


class Node(luigi.Task):
    number = luigi.IntParameter()
    hidden = luigi.Parameter(default="x", significant=False)

    def requires(self):
        return {1: [Node(2), Node(3)], 2: [Node(4), Node(5)], 3: [Node(6)]}.get(self.number, [])

    def complete(self):
        return self.number == 4


TREE = """
└─--[Node-{'number': '1'} (\033[94mPENDING\033[0m)]
    |---[Node-{'number': '2'} (\033[94mPENDING\033[0m)]
    |   |---[Node-{'number': '4'} (\033[92mCOMPLETE\033[0m)]
    |   └─--[Node-{'number': '5'} (\033[94mPENDING\033[0m)]
    └─--[Node-{'number': '3'} (\033[94mPENDING\033[0m)]
        └─--[Node-{'number': '6'} (\033[94mPENDING\033[0m)]"""


def test_the_tree_shows_classes_parameters_and_status():
    assert deps_tree.print_tree(Node(1)) == TREE


def test_a_task_without_outputs_is_not_warned_of():
    class Nothing(luigi.Task):
        pass

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert deps_tree.print_tree(Nothing()) == "\n└─--[Nothing-{} (\033[94mPENDING\033[0m)]"


def test_the_command_prints_the_tree(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["luigi-deps-tree", "Node", "--number", "1"])
    deps_tree.main()
    assert capsys.readouterr().out == TREE + "\n"
