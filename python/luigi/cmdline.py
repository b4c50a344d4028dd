"""The commands ``luigi`` and ``luigid``."""

from __future__ import annotations

import argparse
import functools
import shlex
import sys

from luigi.retcodes import run_with_retcodes
from luigi.setup_logging import DaemonLogging


def luigi_run(argv: list[str] | None = None) -> None:
    """The command ``luigi``: run the task that `argv` names, and exit with the code that is configured for its end."""
    run_with_retcodes(sys.argv[1:] if argv is None else argv)


def luigid(argv: list[str] | None = None) -> None:
    """The command ``luigid``: serve a scheduler. What it does not know itself goes to ``condotta scheduler``."""
    import luigi.configuration
    import luigi.process
    import luigi.server

    words = sys.argv[1:] if argv is None else list(argv)
    options, rest = _luigid_parser().parse_known_args(words)
    if options.state_path:
        luigi.configuration.get_config().set("scheduler", "state_path", options.state_path)
    DaemonLogging.setup(options)
    if options.background:
        rest += ["--logdir", options.logdir or luigi.process.LOGDIR]
    elif options.logdir:
        rest += ["--logdir", options.logdir]
    luigi.server._command = _without_addresses(words)
    serve = functools.partial(luigi.server.run, engine_arguments=rest) if rest else luigi.server.run
    where = {"api_port": options.port, "address": options.address, "unix_socket": options.unix_socket}
    if options.background:
        luigi.process.daemonize(serve, pidfile=options.pidfile, logdir=options.logdir, **where)
    else:
        serve(**where)


def _without_addresses(words: list[str]) -> str:
    """The command as it was typed, but for where it listens."""
    addresses = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    addresses.add_argument("--address", action="append")
    return shlex.join(["luigid", *addresses.parse_known_args(words)[1]])


def _luigid_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="luigid",
        description="Serve a scheduler for workers in other processes.",
        epilog="Further options are those of `condotta scheduler`; its --help lists them.",
    )
    parser.add_argument("--background", action="store_true", help="run in the background")
    parser.add_argument("--pidfile", help="file for the process's id, in the background")
    parser.add_argument("--logdir", help="directory of the log")
    parser.add_argument("--state-path", help="where the state is kept")
    parser.add_argument("--address", help="address to listen on; by default this machine alone is served")
    parser.add_argument("--unix-socket", help="socket in the file system to listen on")
    parser.add_argument("--port", default=8082, help="port to listen on, 8082 by default")
    return parser
