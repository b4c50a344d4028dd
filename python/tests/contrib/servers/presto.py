"""A Presto server in memory: it answers known queries with rows, in several reports, over HTTP."""

from __future__ import annotations

from typing import Any

from .http import Handler


class Presto:
    """What the server knows: the rows, or the error, that each query gives."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[Any]] | dict[str, Any]] = {}
        self.queries: list[str] = []
        self.headers: dict[str, str] = {}


class PrestoHandler(Handler):
    """Answers from ``presto``. A query takes three reports: queued, half done, done."""

    presto: Presto

    def answer(self) -> None:
        address = f"http://{self.headers['Host']}"
        if self.command == "POST":
            self.presto.queries.append(self.body.decode())
            self.presto.headers = {name.lower(): value for name, value in self.headers.items()}
            number, step = len(self.presto.queries) - 1, 0
        else:
            number, step = (int(part) for part in self.route.split("/")[-2:])
        report: dict[str, Any] = {
            "id": f"q{number}",
            "infoUri": f"{address}/ui/query.html?q{number}",
            "stats": {"state": "RUNNING", "progressPercentage": 50.0 * step},
        }
        given = self.presto.answers[self.presto.queries[number]]
        if step < 2:
            report["nextUri"] = f"{address}/v1/statement/{number}/{step + 1}"
        elif isinstance(given, dict):
            report["error"] = given
        else:
            report["columns"] = [{"name": f"c{place}", "type": "bigint"} for place in range(len(given[0]))]
            report["data"] = given
        self.reply(200, report)
