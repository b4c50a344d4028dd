"""The commands `luigi` and `luigid`."""

from __future__ import annotations

import sys

from luigi.retcodes import run_with_retcodes
from luigi.setup_logging import DaemonLogging


def luigi_run(argv: list[str] = sys.argv[1:]) -> None:
    """Runs a task from the command line and exits with the code that `[retcode]` has for the outcome."""
    run_with_retcodes(argv)


def luigid(argv: list[str] = sys.argv[1:]) -> None:
    """Runs the central scheduler, in the foreground or with `--background` as a daemon."""
    import argparse

    import luigi.configuration
    import luigi.process
    import luigi.server

    parser = argparse.ArgumentParser(description="Central luigi server")
    parser.add_argument("--background", action="store_true", help="leave the terminal and run as a daemon")
    parser.add_argument("--pidfile", help="file for the daemon's process id")
    parser.add_argument("--logdir", help="folder of the log files")
    parser.add_argument("--state-path", help="file in which the state is kept")
    parser.add_argument("--address", help="interface to listen on")
    parser.add_argument("--unix-socket", help="path of a Unix socket to listen on")
    parser.add_argument("--port", default=8082, help="port to listen on")
    options = parser.parse_args(argv)

    if options.state_path:
        luigi.configuration.get_config().set("scheduler", "state_path", options.state_path)
    DaemonLogging.setup(options)

    listen = {"api_port": options.port, "address": options.address, "unix_socket": options.unix_socket}
    if options.background:
        luigi.process.daemonize(luigi.server.run, pidfile=options.pidfile, logdir=options.logdir, **listen)
    else:
        luigi.server.run(**listen)
