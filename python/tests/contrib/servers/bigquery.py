"""Google BigQuery in memory: the part of its JSON interface that the client uses, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import googleapiclient

from .http import Handler


class Warehouse:
    """What the server keeps. Each dataset is what the interface says of it, and its tables by id."""

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        self.jobs: list[dict[str, Any]] = []
        # How many questions a job answers with RUNNING, and the error with which jobs end.
        self.questions_until_done = 1
        self.job_error: dict[str, Any] | None = None
        # Status codes with which the next requests fail.
        self.failures: list[int] = []
        self.page_size = 2
        self.requests: list[str] = []

    def add(self, dataset: str, *tables: str, location: str = "US") -> None:
        """Put a dataset with tables there."""
        self.datasets[dataset] = {"datasetReference": {"datasetId": dataset}, "location": location}
        self.tables[dataset] = {table: {"tableReference": {"tableId": table}} for table in tables}


def descriptor(address: str) -> str:
    """Return the description of the interface that comes with the client, with this server's address."""
    bundled = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "bigquery.v2.json"
    document = json.loads(bundled.read_text())
    document.update(rootUrl=address + "/", baseUrl=address + "/bigquery/v2/")
    document.pop("mtlsRootUrl", None)
    return json.dumps(document)


class BigQueryHandler(Handler):
    """Answers from ``warehouse``."""

    warehouse: Warehouse

    def answer(self) -> None:
        self.warehouse.requests.append(f"{self.command} {self.route}")
        if self.warehouse.failures:
            self.reply(self.warehouse.failures.pop(0), {"error": {"message": "try again"}})
            return
        body = json.loads(self.body) if self.body else None
        status, answer = self.operate(self.route.split("/")[4:], body)
        self.reply(status, answer)

    do_PATCH = Handler.handle_request

    def operate(self, path: list[str], body: Any) -> tuple[int, Any]:
        """Carry out the request below the project's path and return status and body."""
        house = self.warehouse
        if path[1] == "jobs":
            return self.job(path, body)
        if len(path) == 2:
            if self.command == "GET":
                return self.page("datasets", list(house.datasets.values()))
            dataset = body["datasetReference"]["datasetId"]
            if dataset in house.datasets:
                return 409, {"error": {"message": "Already Exists"}}
            house.datasets[dataset], house.tables[dataset] = body, {}
            return 200, body
        dataset = path[2]
        if dataset not in house.datasets:
            return 404, {"error": {"message": "Not found"}}
        if len(path) == 3:
            return self.one(house.datasets, dataset, body)
        if len(path) == 4:
            if self.command == "GET":
                return self.page("tables", list(house.tables[dataset].values()))
            house.tables[dataset][body["tableReference"]["tableId"]] = body
            return 200, body
        return self.one(house.tables[dataset], path[4], body)

    def one(self, things: dict[str, Any], name: str, body: Any) -> tuple[int, Any]:
        if name not in things:
            return 404, {"error": {"message": "Not found"}}
        if self.command == "DELETE":
            if things is self.warehouse.datasets and self.warehouse.tables[name]:
                if self.query["deleteContents"] != "true":
                    return 400, {"error": {"message": "Dataset is still in use"}}
            return 204, {"gone": things.pop(name)}
        if self.command == "PUT":
            things[name] = body
        if self.command == "PATCH":
            things[name].update(body)
        return 200, things[name]

    def page(self, key: str, things: list[Any]) -> tuple[int, Any]:
        start = int(self.query.get("pageToken", 0))
        end = start + self.warehouse.page_size
        more = {"nextPageToken": str(end)} if end < len(things) else {}
        return 200, {key: things[start:end], **more}

    def job(self, path: list[str], body: Any) -> tuple[int, Any]:
        house = self.warehouse
        if self.command == "POST":
            house.jobs.append({"configuration": body["configuration"], "questions": 0})
            return 200, {"jobReference": {"jobId": f"job{len(house.jobs) - 1}"}}
        job = house.jobs[int(path[2].removeprefix("job"))]
        job["questions"] += 1
        if job["questions"] <= house.questions_until_done:
            return 200, {"status": {"state": "RUNNING"}}
        failed = {"errorResult": house.job_error} if house.job_error else {}
        return 200, {"status": {"state": "DONE", **failed}}
