"""Elasticsearch: a target that is a marker document, and a task that indexes documents.

    class Titles(CopyToIndex):
        index = "titles"

        def docs(self):
            yield {"_id": "moby-dick", "title": "Moby-Dick; or, The Whale"}

The client is elasticsearch-py before version 8, which dropped the document types that this module speaks of.
The markers lie in the index `[elasticsearch] marker-index`, with the type `[elasticsearch] marker-doc-type`.
"""

from __future__ import annotations

import abc
import datetime
import hashlib
import itertools
import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")

try:
    import elasticsearch
    from elasticsearch.connection import Urllib3HttpConnection
    from elasticsearch.helpers import bulk

    if elasticsearch.__version__ < (1, 0, 0):
        logger.warning("This module works with elasticsearch 1.0.0 or newer only.")
except ImportError:
    logger.warning(
        "Loading esindex module without elasticsearch installed. "
        "Will crash at runtime if esindex functionality is used."
    )

#: How many markers one page of the search for old ones holds; Elasticsearch gives at most 10,000 hits by default.
_MARKERS_PER_PAGE = 1000


def _connect(source: Any) -> Any:
    """A client for what `source`, a target or a task, says about the server."""
    return elasticsearch.Elasticsearch(
        connection_class=Urllib3HttpConnection,
        host=source.host,
        port=source.port,
        http_auth=source.http_auth,
        timeout=source.timeout,
        **source.extra_elasticsearch_args,
    )


class ElasticsearchTarget(luigi.Target):
    """An update of an index."""

    marker_index = luigi.configuration.get_config().get("elasticsearch", "marker-index", "update_log")
    marker_doc_type = luigi.configuration.get_config().get("elasticsearch", "marker-doc-type", "entry")

    def __init__(
        self,
        host: str,
        port: int | str,
        index: str,
        doc_type: str,
        update_id: str,
        marker_index_hist_size: int = 0,
        http_auth: Any = None,
        timeout: float = 10,
        extra_elasticsearch_args: dict[str, Any] | None = None,
    ) -> None:
        """
        :param update_id: tells this update from others.
        :param marker_index_hist_size: how many markers of the index are kept, the newest; 0 keeps all.
        :param http_auth: user and password, as a tuple or as `user:password`.
        :param timeout: how long an answer may take, in seconds.
        :param extra_elasticsearch_args: further arguments of the client.
        """
        self.host = host
        self.port = port
        self.http_auth = http_auth
        self.index = index
        self.doc_type = doc_type
        self.update_id = update_id
        self.marker_index_hist_size = marker_index_hist_size
        self.timeout = timeout
        self.extra_elasticsearch_args = {} if extra_elasticsearch_args is None else extra_elasticsearch_args
        self.es = _connect(self)

    def marker_index_document_id(self) -> str:
        """The marker's document id: a hash of index, document type and update."""
        return hashlib.sha1(f"{self.index}:{self.doc_type}:{self.update_id}".encode()).hexdigest()

    def touch(self) -> None:
        """Marks the update as done, and removes markers beyond `marker_index_hist_size`."""
        self.create_marker_index()
        marker = {
            "update_id": self.update_id,
            "target_index": self.index,
            "target_doc_type": self.doc_type,
            "date": datetime.datetime.now(),
        }
        self.es.index(
            index=self.marker_index, doc_type=self.marker_doc_type, id=self.marker_index_document_id(), body=marker
        )
        self.es.indices.flush(index=self.marker_index)
        self.ensure_hist_size()

    def exists(self) -> bool:
        """Whether the update is marked as done. A server that does not answer counts as "no", with a warning."""
        name = self.marker_index_document_id()
        try:
            self.es.get(id=name, index=self.marker_index, doc_type=self.marker_doc_type)
            return True
        except elasticsearch.ElasticsearchException as error:
            if isinstance(error, elasticsearch.NotFoundError):
                logger.debug("Marker document not found.")
            else:
                logger.warning(error)
            return False

    def create_marker_index(self) -> None:
        """Creates the index of the markers if it is missing."""
        if not self.es.indices.exists(index=self.marker_index):
            self.es.indices.create(index=self.marker_index)

    def ensure_hist_size(self) -> None:
        """Removes all but the newest `marker_index_hist_size` markers of the index."""
        if self.marker_index_hist_size == 0:
            return
        # What was just written shows up in a search only after a refresh.
        self.es.indices.refresh(index=self.marker_index)
        for document_id in list(self._markers_newest_first())[self.marker_index_hist_size :]:
            self.es.delete(id=document_id, index=self.marker_index, doc_type=self.marker_doc_type)
        self.es.indices.flush(index=self.marker_index)

    def _markers_newest_first(self) -> Iterator[str]:
        """The document ids of the index's markers. The search may find other indices by parts of the name."""
        query = {"query": {"match": {"target_index": {"query": self.index, "operator": "and"}}}}
        for start in itertools.count(0, _MARKERS_PER_PAGE):
            result = self.es.search(
                index=self.marker_index,
                doc_type=self.marker_doc_type,
                body={**query, "from": start, "size": _MARKERS_PER_PAGE, "sort": [{"date": "desc"}]},
            )
            hits = result["hits"]["hits"]
            for hit in hits:
                if hit["_source"]["target_index"] == self.index:
                    yield hit["_id"]
            if len(hits) < _MARKERS_PER_PAGE:
                return


class CopyToIndex(luigi.Task):
    """Indexes documents.

    A subclass gives `index`, and either a `requires` whose output has one JSON document per line or its own `docs`.
    The other attributes say where the server is and how to index.
    """

    @property
    def host(self) -> Any:
        """The server's name or address."""
        return "localhost"

    @property
    def port(self) -> Any:
        """The server's port."""
        return 9200

    @property
    def http_auth(self) -> Any:
        """User and password, as a tuple or as `user:password`."""
        return None

    @property
    @abc.abstractmethod
    def index(self) -> Any:
        """The index that is written to; it is created if it is missing."""
        return None

    @property
    def doc_type(self) -> Any:
        """The type of documents that do not say one."""
        return "default"

    @property
    def mapping(self) -> Any:
        """The mapping of the index, as a dictionary; None leaves it to Elasticsearch."""
        return None

    @property
    def settings(self) -> Any:
        """The settings of an index that has to be created."""
        return {"settings": {}}

    @property
    def chunk_size(self) -> Any:
        """How many documents one request carries."""
        return 2000

    @property
    def raise_on_error(self) -> Any:
        """Whether the first document that is refused fails the task."""
        return True

    @property
    def purge_existing_index(self) -> Any:
        """Whether the index is deleted first, for documents that are all there is and no mere addition."""
        return False

    @property
    def marker_index_hist_size(self) -> Any:
        """How many markers of the index are kept, the newest; 0 keeps all.

        With 1, an update that ran before another one counts as not done and can run again.
        """
        return 0

    @property
    def timeout(self) -> Any:
        """How long an answer may take, in seconds."""
        return 10

    @property
    def extra_elasticsearch_args(self) -> Any:
        """Further arguments of the client."""
        return {}

    def docs(self) -> Iterable[Any]:
        """The documents: all JSON texts or all dictionaries, which may have `_index`, `_type` and `_id`."""
        with self.input().open("r") as lines:
            yield from lines

    def _docs(self) -> Iterator[dict[str, Any]]:
        """The documents as dictionaries, each with its index and type."""
        documents = iter(self.docs())
        for first in documents:
            if not isinstance(first, (str, dict)):
                raise RuntimeError("Document must be either JSON strings or dict.")
            is_text = isinstance(first, str)
            for document in itertools.chain([first], documents):
                parsed = json.loads(document) if is_text else document
                parsed.setdefault("_index", self.index)
                parsed.setdefault("_type", self.doc_type)
                yield parsed

    def _init_connection(self) -> Any:
        return _connect(self)

    def create_index(self) -> None:
        """Creates the index, with `settings`, if it is missing."""
        connection = self._init_connection()  # Must outlive its `indices`, which old clients only borrow.
        if not connection.indices.exists(index=self.index):
            connection.indices.create(body=self.settings, index=self.index)

    def delete_index(self) -> None:
        """Deletes the index if it exists."""
        connection = self._init_connection()
        if connection.indices.exists(index=self.index):
            connection.indices.delete(index=self.index)

    def update_id(self) -> Any:
        """Tells this update from others in the marker index."""
        return self.task_id

    def output(self) -> Any:
        """The marker of this update; rarely overridden."""
        same_name = ("host", "port", "http_auth", "index", "doc_type", "timeout")
        return ElasticsearchTarget(
            **{name: getattr(self, name) for name in same_name},
            update_id=self.update_id(),
            marker_index_hist_size=self.marker_index_hist_size,
            extra_elasticsearch_args=self.extra_elasticsearch_args,
        )

    def run(self) -> None:
        """Prepares the index, sends the documents and marks the output.

        While documents are sent the index is not refreshed, which is faster; afterwards it is again, each second,
        also if something was refused.
        """
        if self.purge_existing_index:
            self.delete_index()
        self.create_index()
        es = self._init_connection()
        if self.mapping:
            es.indices.put_mapping(body=self.mapping, index=self.index, doc_type=self.doc_type)
        self._set_refresh_interval(es, "-1")
        try:
            bulk(es, self._docs(), raise_on_error=self.raise_on_error, chunk_size=self.chunk_size)
        finally:
            self._set_refresh_interval(es, "1s")
        es.indices.refresh()
        self.output().touch()

    def _set_refresh_interval(self, es: Any, interval: str) -> None:
        es.indices.put_settings(index=self.index, body={"index": {"refresh_interval": interval}})
