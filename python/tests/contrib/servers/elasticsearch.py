"""Elasticsearch in memory: the part of version 7 that the tests need, over HTTP."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from .http import Handler


class Index:
    """The documents by id, and what a search sees of them: what was there at the last refresh."""

    def __init__(self, settings: Any = None) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.visible: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, Any] = settings or {}
        self.intervals: list[str] = []
        self.mapping: Any = None

    def refresh(self) -> None:
        self.visible = copy.deepcopy(self.documents)


class Cluster:
    """What the server keeps."""

    def __init__(self) -> None:
        self.indices: dict[str, Index] = {}
        # Fields with this name are refused in documents.
        self.refused_field = "forbidden"
        self.bulk_sizes: list[int] = []


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", str(text).lower()))


class ElasticsearchHandler(Handler):
    """Answers from ``cluster``."""

    cluster: Cluster

    def answer(self) -> None:
        status, body = self.operate([part for part in self.route.split("/") if part])
        self.reply(status, body, X_Elastic_Product="Elasticsearch")

    def operate(self, path: list[str]) -> tuple[int, Any]:
        """Carry out the request and return status and body."""
        indices = self.cluster.indices
        if not path:
            return 200, {"version": {"number": "7.17.0", "build_flavor": "default"}, "tagline": "You Know, for Search"}
        if path[-1] == "_bulk":
            return self.bulk()
        if path[-1] in ("_refresh", "_flush"):
            for name, index in indices.items():
                if path[-1] == "_refresh" and path[0] in (name, "_refresh"):
                    index.refresh()
            return 200, {}
        if len(path) == 1 and self.command == "PUT":
            indices[path[0]] = Index(json.loads(self.body or b"{}").get("settings"))
            return 200, {}
        if path[0] not in indices:
            return 404, {"error": {"type": "index_not_found_exception"}, "status": 404}
        if len(path) == 1:
            if self.command == "DELETE":
                del indices[path[0]]
            return 200, {}
        return self.within(indices[path[0]], path)

    def within(self, index: Index, path: list[str]) -> tuple[int, Any]:
        if path[-1] == "_search":
            return 200, self.search(index, json.loads(self.body))
        if path[-1] == "_settings":
            index.intervals.append(json.loads(self.body)["index"]["refresh_interval"])
            return 200, {}
        if "_mapping" in path:
            index.mapping = json.loads(self.body)
            return 200, {}
        kind, name = path[1:]
        if self.command in ("PUT", "POST"):
            index.documents[name] = {"_type": kind, "_source": json.loads(self.body)}
            return 201, {"result": "created"}
        if name not in index.documents:
            return 404, {"found": False}
        if self.command == "DELETE":
            del index.documents[name]
            return 200, {"result": "deleted"}
        return 200, {"_id": name, "found": True, **index.documents[name]}

    def search(self, index: Index, body: dict[str, Any]) -> Any:
        ((field, query),) = body["query"]["match"].items()
        wanted = words(query["query"])
        hits = [
            {"_id": name, **document}
            for name, document in index.visible.items()
            if wanted <= words(document["_source"][field])
        ]
        ((by, order),) = body["sort"][0].items()
        hits.sort(key=lambda hit: hit["_source"][by], reverse=order == "desc")
        return {"hits": {"hits": hits[body["from"] : body["from"] + body["size"]]}}

    def bulk(self) -> tuple[int, Any]:
        lines = [json.loads(line) for line in self.body.splitlines()]
        self.cluster.bulk_sizes.append(len(lines) // 2)
        items = []
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            about = action["index"]
            if self.cluster.refused_field in source:
                items.append({"index": {"_id": about["_id"], "status": 400, "error": {"type": "mapper_parsing"}}})
                continue
            index = self.cluster.indices.setdefault(about["_index"], Index())
            index.documents[str(about["_id"])] = {"_type": about["_type"], "_source": source}
            items.append({"index": {"_id": about["_id"], "status": 201}})
        return 200, {"errors": any("error" in item["index"] for item in items), "items": items}
