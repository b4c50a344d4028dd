"""The command line of a run: all parameters of all registered tasks as flags, and the root task among them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from luigi.task_register import Register

if TYPE_CHECKING:
    import argparse


def __getattr__(name: str) -> Any:
    # Programs that call luigi.build never parse a command line, so argparse waits until one does.
    if name == "argparse":
        import argparse

        return argparse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class CmdlineParser:
    """A parsed command line. While one is the global instance, parameters take their values from it.

    :param cmdline_args: the arguments, as in ``sys.argv[1:]``.

    ``known_args`` has what was parsed: ``<family>_<name>`` for each parameter, ``<name>`` for those of the root task.
    Exits with a message if no root task is named, if an argument is not known, or after printing the help.
    """

    _instance: CmdlineParser | None = None

    @classmethod
    def get_instance(cls) -> CmdlineParser | None:
        """Returns the command line in force, ``None`` if there is none."""
        return cls._instance

    @classmethod
    @contextmanager
    def global_instance(cls, cmdline_args: list[str], allow_override: bool = False) -> Iterator[CmdlineParser]:
        """Parses a command line and puts it in force for the length of a ``with`` block."""
        before = cls._instance
        assert before is None or allow_override
        parser = None
        try:
            parser = cls._instance = CmdlineParser(cmdline_args)
            yield parser
        finally:
            assert cls._instance in (parser, before)
            cls._instance = before

    def __init__(self, cmdline_args: list[str]) -> None:
        #: What it was made of, for a process elsewhere that is to read the same.
        self.arguments = list(cmdline_args)
        # What is a flag, and so what is the root task, depends on the tasks that the module of --module brings.
        preview = self._preview(cmdline_args)
        if preview.core_module:
            self._attempt_load_module(preview)
            preview = self._preview(cmdline_args)

        parser = self._build_parser(preview.root_task, preview.core_help_all)
        self._possibly_exit_with_help(parser, preview)
        if not preview.root_task:
            raise SystemExit("No task specified")
        Register.get_task_cls(preview.root_task)  # Unknown flags are told after an unknown family.
        self.known_args = parser.parse_args(args=cmdline_args)

    def _preview(self, cmdline_args: list[str]) -> argparse.Namespace:
        """Returns what can be told of the command line before the flags of the root task are known."""
        return self._build_parser().parse_known_args(args=cmdline_args)[0]

    @staticmethod
    def _build_parser(root_task: str | None = None, help_all: bool = False) -> argparse.ArgumentParser:
        import argparse

        parser = argparse.ArgumentParser(add_help=False)
        # Optional only for argparse: --module and --help must be found on a command line without it.
        parser.add_argument(
            "root_task",
            nargs="?",
            metavar="Required root task",
            help="The family of the task to run; it must be given.",
        )
        for family, without_section, name, param in Register.get_all_params():
            is_root = family == root_task
            shown = is_root or help_all or param.always_in_help
            text = param.description if shown else argparse.SUPPRESS
            long_name = name if without_section else f"{family}_{name}"
            parser.add_argument(_flag(long_name), help=text, **param._parser_kwargs(name, family))
            if is_root:
                parser.add_argument(_flag(name), help=text, **param._parser_kwargs(name))
        return parser

    def get_task_obj(self) -> Any:
        """Returns the root task."""
        return self._get_task_cls()(**self._get_task_kwargs())

    def _get_task_cls(self) -> Any:
        return Register.get_task_cls(self.known_args.root_task)

    def _get_task_kwargs(self) -> dict[str, Any]:
        """Returns the parsed values of the root task's own flags, of those that were given."""
        given = {}
        for name, param in self._get_task_cls().get_params():
            text = getattr(self.known_args, name)
            if text:
                given[name] = param.parse(text)
        return given

    @staticmethod
    def _attempt_load_module(known_args: argparse.Namespace) -> None:
        if known_args.core_module:
            __import__(known_args.core_module)

    @staticmethod
    def _possibly_exit_with_help(parser: argparse.ArgumentParser, known_args: argparse.Namespace) -> None:
        if known_args.core_help or known_args.core_help_all:
            parser.print_help()
            sys.exit()


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
