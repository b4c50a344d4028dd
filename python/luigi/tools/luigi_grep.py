"""The command `luigi-grep`: asks a central scheduler for tasks by the beginning of their id or by status."""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.request import Request, urlopen

from luigi.configuration import get_config


class LuigiGrep:
    """Searches the tasks that the scheduler at `host` and `port` knows."""

    def __init__(self, host: str, port: int | str) -> None:
        self._host = host
        self._port = port

    @property
    def graph_url(self) -> str:
        """Where the scheduler gives its tasks."""
        return f"http://{self._host}:{self._port}/api/graph"

    def prefix_search(self, job_name_prefix: str) -> Iterator[dict[str, Any]]:
        """The tasks whose id begins with a prefix: `name`, `status` and `deps_by_status` of each."""
        return self._search(lambda name, task: name.startswith(job_name_prefix))

    def status_search(self, status: str) -> Iterator[dict[str, Any]]:
        """The tasks with a status, in any case of letters."""
        return self._search(lambda name, task: task["status"].lower() == status.lower())

    def _search(self, wanted: Callable[[str, dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
        tasks = self._fetch_json()["response"]
        for name, task in tasks.items():
            if wanted(name, task):
                yield self._build_results(tasks, name)

    def _fetch_json(self) -> dict[str, Any]:
        print("Fetching from url: " + self.graph_url)
        token = os.environ.get("CONDOTTA_TOKEN") or get_config().get("core", "rpc_token", "")
        request = Request(self.graph_url)
        if token:
            # Not for the place to which an answer may lead.
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        with urlopen(request) as answer:
            return json.loads(answer.read().decode("utf-8"))

    def _build_results(self, jobs: dict[str, Any], job: str) -> dict[str, Any]:
        by_status: dict[str, list[str]] = defaultdict(list)
        for dependency in jobs[job]["deps"]:
            known = jobs.get(dependency)
            by_status[known["status"] if known else "UNKNOWN"].append(dependency)
        return {"name": job, "status": jobs[job]["status"], "deps_by_status": by_status}


def main() -> None:
    """Prints the tasks that the command line asks for, with their dependencies by status."""
    parser = argparse.ArgumentParser("luigi-grep", description="Searches the tasks of a central scheduler.")
    parser.add_argument("--scheduler-host", default="localhost", help="the scheduler's host")
    parser.add_argument("--scheduler-port", default="8082", help="the scheduler's port")
    parser.add_argument("--prefix", help="show tasks whose id begins so")
    parser.add_argument("--status", help="show tasks with this status")
    options = parser.parse_args()

    grep = LuigiGrep(options.scheduler_host, options.scheduler_port)
    if options.prefix:
        _show(grep.prefix_search(options.prefix))
    elif options.status:
        _show(grep.status_search(options.status))


def _show(results: Iterable[dict[str, Any]]) -> None:
    for result in results:
        print(f"{result['name']}: {result['status']}, Dependencies:")
        for status, dependencies in result["deps_by_status"].items():
            print(f"  status={status}", *dependencies, sep="\n    ")


if __name__ == "__main__":
    main()
