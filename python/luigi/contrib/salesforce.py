"""Salesforce: a client for its bulk and REST interfaces, and a task that writes the result of a query to a file.

The client library is requests. User, password and tokens are in the section `[salesforce]`, where `local-tmp-dir` says
where results lie while they are fetched.
"""

from __future__ import annotations

import abc
import csv
import logging
import math
import os
import re
import tempfile
import time
import warnings
import xml.etree.ElementTree as ET
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import luigi
from luigi import Task

logger = logging.getLogger("luigi-interface")

try:
    import requests
except ImportError:
    logger.warning("This module requires the python package 'requests'.")

#: In this case the bulk interface refuses a query that the REST interface takes.
_NEEDS_REST = "foreign key relationships not supported"


def _split_at_depth_0(text: str, separator: str) -> list[str]:
    """Splits at matches of `separator` that are in no parentheses."""
    parts, depth, start = [], 0, 0
    for match in re.finditer(rf"[()]|{separator}", text, re.IGNORECASE):
        if match.group() in ("(", ")"):
            depth += 1 if match.group() == "(" else -1
        elif depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def get_soql_fields(soql: str) -> list[str]:
    """The fields that a query selects, in its order."""
    selected = re.split(r"\bselect\b", soql, maxsplit=1, flags=re.IGNORECASE)[-1]
    fields = _split_at_depth_0(_split_at_depth_0(selected, r"\bfrom\b")[0], r"[,\n\r]")
    return [name for name in (re.sub(r"\s", "", field) for field in fields) if name]


def ensure_utf(value: Any) -> Any:
    """Text as UTF-8 bytes; anything else as it is."""
    return value.encode("utf-8") if isinstance(value, str) else value


def parse_results(fields: list[str], data: dict[str, Any]) -> list[list[Any]]:
    """The records of an answer as rows.

    :param fields: the columns of a row; a field of a related object has its path, `Owner.Name`.
    :param data: the answer, as decoded JSON.
    """
    places = {field: place for place, field in reversed(list(enumerate(fields)))}
    rows = []
    for record in data["records"]:
        row: list[Any] = [None] * len(fields)
        for path, value in _leaves(record, ""):
            if path in places:
                row[places[path]] = value
        rows.append(row)
    return rows


def _leaves(record: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yields path and value of all that is no structure itself. Lists and attributes are no fields."""
    for name, value in record.items():
        if isinstance(value, dict):
            if name != "attributes":
                yield from _leaves(value, f"{prefix}{name}.")
        elif not isinstance(value, (list, tuple)):
            yield prefix + name, value


class salesforce(luigi.Config):
    """The section `[salesforce]`. Names of sandboxes are not here, since there may be several."""

    username = luigi.Parameter(default="")
    password = luigi.Parameter(default="")
    security_token = luigi.Parameter(default="")

    # the token of the sandbox
    sb_security_token = luigi.Parameter(default="")


class QuerySalesforce(Task):
    """Writes the result of a query to the output, which needs a `path` on this machine.

    A subclass gives `object_name`, `soql` and `output`.
    """

    @property
    @abc.abstractmethod
    def object_name(self) -> Any:
        """The object that is asked for; a custom one ends in `__c`."""
        return None

    @property
    def use_sandbox(self) -> Any:
        """Whether a sandbox is asked, and not the production organisation."""
        return False

    @property
    def sandbox_name(self) -> Any:
        """The sandbox's name."""
        return None

    @property
    @abc.abstractmethod
    def soql(self) -> Any:
        """The query, or the path of a file that holds it."""
        return None

    @property
    def is_soql_file(self) -> Any:
        """Whether `soql` is a path."""
        return False

    @property
    def content_type(self) -> Any:
        """The format of the result: CSV, XML, ZIP_CSV or ZIP_XML."""
        return "CSV"

    def run(self) -> None:
        """Runs the query as a bulk job and writes its result. The output appears when it is complete."""
        if self.use_sandbox and not self.sandbox_name:
            raise Exception("Parameter sf_sandbox_name must be provided when uploading to a Salesforce Sandbox")
        settings = salesforce()
        sf = SalesforceAPI(
            settings.username,
            settings.password,
            settings.security_token,
            settings.sb_security_token,
            self.sandbox_name,
        )
        soql = self._soql_text()
        job_id = sf.create_operation_job("query", self.object_name, content_type=self.content_type)
        logger.info("Started query job %s in salesforce for object %s", job_id, self.object_name)
        try:
            done = self._run_batch(sf, job_id, soql)
        finally:
            logger.info("Closing job %s", job_id)
            sf.close_job(job_id)
        if not done:
            logger.info("Retrying with REST API query")
            self._write_rest_result(sf, soql)

    def _soql_text(self) -> str:
        if not self.is_soql_file:
            return self.soql
        with open(self.soql) as file:
            return file.read()

    def _run_batch(self, sf: SalesforceAPI, job_id: str, soql: str) -> bool:
        """Runs the query as the job's only batch; false if only the REST interface can."""
        batch_id = sf.create_batch(job_id, soql, self.content_type)
        logger.info("Creating new batch %s to query: %s for job: %s.", batch_id, self.object_name, job_id)
        status = sf.block_on_batch(job_id, batch_id)
        if status["state"].lower() == "failed":
            reason = status.get("state_message", "")
            logger.error("Batch failed with message: %s", reason)
            if _NEEDS_REST in reason.lower():
                return False
            raise Exception(f"Batch failed with message: {reason}")
        result_ids = sf.get_batch_result_ids(job_id, batch_id)
        if len(result_ids) == 1:
            unfinished = self._unfinished_path()
            with open(unfinished, "wb") as file:
                file.write(sf.get_batch_result(job_id, batch_id, result_ids[0]))
            self._finish(unfinished)
        else:
            self._fetch_and_merge(sf, job_id, batch_id, result_ids)
        return True

    def _fetch_and_merge(self, sf: SalesforceAPI, job_id: str, batch_id: str, result_ids: list[str]) -> None:
        """Fetches the parts one after the other into files, so that only one at a time is in memory."""
        parts = [self._part_path(number) for number in range(len(result_ids))]
        try:
            for part, result_id in zip(parts, result_ids):  # noqa: B905
                logger.info("Downloading batch result %s for batch: %s and job: %s", result_id, batch_id, job_id)
                with open(part, "wb") as file:
                    file.write(sf.get_batch_result(job_id, batch_id, result_id))
            logger.info("Merging results of batch %s", batch_id)
            self.merge_batch_results(result_ids)
        finally:
            for part in parts:
                if os.path.exists(part):
                    os.remove(part)

    def merge_batch_results(self, result_ids: list[str]) -> None:
        """Writes the output from its parts: the files beside it that end in `.0`, `.1` and so on.

        :raises Exception: if the format is not CSV.
        """
        if self.content_type.lower() != "csv":
            raise Exception(f"Batch result merging not implemented for {self.content_type}")
        unfinished = self._unfinished_path()
        with open(unfinished, "w", encoding="utf-8", newline="") as merged:
            for number in range(len(result_ids)):
                with open(self._part_path(number), "r", encoding="utf-8", newline="") as part:  # noqa: UP015
                    header = part.readline()
                    if number == 0:
                        merged.write(header)
                    for line in part:
                        merged.write(line)
        self._finish(unfinished)

    def _write_rest_result(self, sf: SalesforceAPI, soql: str) -> None:
        unfinished = self._unfinished_path()
        with sf.query_all(soql) as rows, open(unfinished, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, dialect="excel").writerows(csv.reader(rows))
        self._finish(unfinished)

    def _part_path(self, number: int) -> str:
        return f"{self.output().path}.{number}"

    def _unfinished_path(self) -> str:
        return self.output().path + "-luigi-tmp"

    def _finish(self, unfinished: str) -> None:
        output = self.output()
        output.fs.move(unfinished, output.path)


class SalesforceAPI:
    """Talks to Salesforce: bulk jobs and their batches, and queries over REST."""

    API_VERSION = 34.0
    SOAP_NS = "{urn:partner.soap.sforce.com}"
    API_NS = "{http://www.force.com/2009/06/asyncapi/dataload}"

    def __init__(
        self,
        username: str,
        password: str,
        security_token: str,
        sb_token: str | None = None,
        sandbox_name: str | None = None,
    ) -> None:
        """
        :param security_token: the token that follows the password in production.
        :param sb_token: the token that follows it in a sandbox.
        :param sandbox_name: the sandbox to use, which also ends the user's name; None means production.
        """
        self.username = f"{username}.{sandbox_name}" if sandbox_name else username
        self.password = password
        self.security_token = security_token
        self.sb_security_token = sb_token
        self.sandbox_name = sandbox_name
        self.session_id: str | None = None
        self.server_url: str | None = None
        self.hostname: str | None = None

    def start_session(self) -> None:
        """Logs in, and learns which server to talk to.

        :raises Exception: if there is a session already, or the answer does not tell one session and one server.
        """
        if self.has_active_session():
            raise Exception("Session already in progress.")
        answer = requests.post(self._get_login_url(), data=self._get_login_xml(), headers=self._get_login_headers())
        answer.raise_for_status()
        root = ET.fromstring(answer.text)
        session_ids = self._at_most_one(root, "sessionId", "session ids")
        server_urls = self._at_most_one(root, "serverUrl", "server urls")
        if not session_ids or not server_urls:
            raise Exception(
                f"Invalid login attempt: the answer has session ids {session_ids} and server urls {server_urls}."
            )
        self.session_id, self.server_url = session_ids[0], server_urls[0]
        self.hostname = urlsplit(self.server_url).hostname

    def _at_most_one(self, root: ET.Element, tag: str, what: str) -> list[str]:
        """The text of the login answer's elements of this tag, of which there may not be several."""
        texts = [element.text for element in root.iter(self.SOAP_NS + tag) if element.text]
        if len(texts) > 1:
            raise Exception(f"Invalid login attempt.  Multiple {what} found.")
        return texts

    def has_active_session(self) -> Any:
        """Whether we are logged in."""
        return self.session_id and self.server_url

    def query(self, query: str, **kwargs: Any) -> Any:
        """The first page of a query's result, as decoded JSON.

        :param kwargs: further arguments of `requests.get`.
        :raises Exception: with the answer's content, if the server refuses.
        """
        self._ensure_session()
        response = requests.get(
            self._get_norm_query_url(), headers=self._get_rest_headers(), params={"q": query}, **kwargs
        )
        if response.status_code != requests.codes.ok:
            raise Exception(response.content)
        return response.json()

    def query_more(self, next_records_identifier: str, identifier_is_url: bool = False, **kwargs: Any) -> Any:
        """The next page of a query's result, as decoded JSON.

        :param next_records_identifier: what the page before said: an id, or a URL without the host.
        :param identifier_is_url: which of the two it is.
        """
        self._ensure_session()
        if identifier_is_url:
            url = f"https://{self.hostname}{next_records_identifier}"
        else:
            url = f"{self._get_norm_query_url()}/{next_records_identifier}"
        response = requests.get(url, headers=self._get_rest_headers(), **kwargs)
        response.raise_for_status()
        return response.json()

    def query_all(self, query: str, **kwargs: Any) -> Any:
        """A query's whole result, as a temporary text file of CSV that stands at its start; the first row is a header.

        It goes away when it is closed.
        """
        fields = get_soql_fields(query)
        tmp_dir = luigi.configuration.get_config().get("salesforce", "local-tmp-dir", None)
        tmp_file = tempfile.TemporaryFile(mode="w+", newline="", encoding="utf-8", dir=tmp_dir)
        writer = csv.writer(tmp_file)
        writer.writerow(fields)
        page = self.query(query, **kwargs)
        length = 0
        while True:
            writer.writerows(parse_results(fields, page))
            length += len(page["records"])
            if page["done"]:
                break
            logger.info("Requested %d lines...", length)
            page = self.query_more(page["nextRecordsUrl"], identifier_is_url=True, **kwargs)
        logger.info("Requested a total of %d lines.", length)
        tmp_file.seek(0)
        return tmp_file

    def restful(self, path: str, params: dict[str, Any]) -> Any:
        """What a GET of a path gives, as decoded JSON; None if that is empty.

        :param path: what follows the version in the URL, for example `/sobjects/User/ABC123/password`.
        """
        self._ensure_session()
        response = requests.get(self._get_norm_base_url() + path, headers=self._get_rest_headers(), params=params)
        if response.status_code != 200:
            raise Exception(response)
        return response.json(object_pairs_hook=OrderedDict) or None

    def create_operation_job(
        self, operation: str, obj: str, external_id_field_name: str | None = None, content_type: str | None = None
    ) -> str:
        """Starts a bulk job, and gives its id.

        :param operation: `query`, `insert`, `update`, `upsert`, `delete` or `hardDelete`.
        :param obj: the object that the job is about.
        :param external_id_field_name: the field by which `upsert` finds records.
        :param content_type: the format of the batches.
        """
        self._ensure_session()
        response = requests.post(
            self._get_create_job_url(),
            headers=self._get_create_job_headers(),
            data=self._get_create_job_xml(operation, obj, external_id_field_name, content_type),
        )
        return self._text_in(response, "id")

    def get_job_details(self, job_id: str) -> Any:
        """What Salesforce says about a job: the response, whose text is XML."""
        return self._checked(requests.get(self._get_job_details_url(job_id), headers=self._get_job_headers()))

    def abort_job(self, job_id: str) -> Any:
        """Stops a job; what it has changed stays. Gives the response, whose text is XML."""
        return self._checked(
            requests.post(
                self._get_abort_job_url(job_id), headers=self._get_abort_job_headers(), data=self._get_abort_job_xml()
            )
        )

    def close_job(self, job_id: str) -> Any:
        """Says that no further batch will come. Gives the response, whose text is XML."""
        if not job_id or not self.has_active_session():
            raise Exception("Can not close job without valid job_id and an active session.")
        return self._checked(
            requests.post(
                self._get_close_job_url(job_id), headers=self._get_close_job_headers(), data=self._get_close_job_xml()
            )
        )

    def create_batch(self, job_id: str, data: Any, file_type: str) -> str:
        """Adds a batch to a job, and gives its id.

        :param data: the batch's data, or the query of a query job, as text or bytes; at most 10 MB.
        :param file_type: the data's format.
        """
        if not job_id or not self.has_active_session():
            raise Exception("Can not create a batch without a valid job_id and an active session.")
        content = ensure_utf(data)
        headers = {**self._get_create_batch_content_headers(file_type), "Content-Length": str(len(content))}
        response = requests.post(self._get_create_batch_url(job_id), headers=headers, data=content)
        return self._text_in(response, "id")

    def block_on_batch(
        self, job_id: str, batch_id: str, sleep_time_seconds: float = 5, max_wait_time_seconds: float = -1
    ) -> dict[str, Any]:
        """Waits until a batch is completed or has failed, and gives its status.

        :param sleep_time_seconds: the time between two questions.
        :param max_wait_time_seconds: how long to wait; a negative number means for ever.
        :raises Exception: if the batch takes longer.
        """
        if not job_id or not batch_id or not self.has_active_session():
            raise Exception("Can not block on a batch without a valid batch_id, job_id and an active session.")
        deadline = math.inf if max_wait_time_seconds < 0 else time.time() + max_wait_time_seconds
        status: dict[str, Any] = {}
        while time.time() < deadline:
            status = self._get_batch_info(job_id, batch_id)
            state, processed, failed = (status[key] for key in ("state", "num_processed", "num_failed"))
            logger.info(
                f"Batch {batch_id} Job {job_id} in state {state}.  "
                f"{processed} records processed.  {failed} records failed."
            )
            if state.lower() in ("completed", "failed"):
                return status
            time.sleep(sleep_time_seconds)
        raise Exception(f"Batch did not complete in {max_wait_time_seconds} seconds.  Final status was: {status}")

    def get_batch_results(self, job_id: str, batch_id: str) -> str:
        """The id of a batch's first result. Deprecated, since there may be several: see `get_batch_result_ids`."""
        warnings.warn(
            "get_batch_results is deprecated and only returns one batch result. Please use get_batch_result_ids",
            stacklevel=2,
        )
        return self.get_batch_result_ids(job_id, batch_id)[0]

    def get_batch_result_ids(self, job_id: str, batch_id: str) -> list[str]:
        """The ids of a completed batch's results."""
        url = self._get_batch_results_url(job_id, batch_id)
        response = self._checked(requests.get(url, headers=self._get_batch_info_headers()))
        return [str(result.text) for result in ET.fromstring(response.text).findall(self.API_NS + "result")]

    def get_batch_result(self, job_id: str, batch_id: str, result_id: str) -> bytes:
        """One result, in the format of the batch."""
        url = self._get_batch_result_url(job_id, batch_id, result_id)
        return self._checked(requests.get(url, headers=self._get_session_headers())).content

    def _get_batch_info(self, job_id: str, batch_id: str) -> dict[str, Any]:
        url = self._get_batch_info_url(job_id, batch_id)
        root = ET.fromstring(self._checked(requests.get(url, headers=self._get_batch_info_headers())).text)
        names = {
            "state": "state",
            "num_processed": "numberRecordsProcessed",
            "num_failed": "numberRecordsFailed",
            "state_message": "stateMessage",
        }
        found = {key: root.find(self.API_NS + name) for key, name in names.items()}
        return {key: element.text for key, element in found.items() if element is not None}

    def _ensure_session(self) -> None:
        if not self.has_active_session():
            self.start_session()

    @staticmethod
    def _checked(response: Any) -> Any:
        response.raise_for_status()
        return response

    def _text_in(self, response: Any, name: str) -> str:
        text = ET.fromstring(self._checked(response).text).findtext(self.API_NS + name)
        if text is None:
            raise ValueError(f"Salesforce's answer has no {name}")
        return text

    # The addresses.

    def _get_login_url(self) -> str:
        server = "test" if self.sandbox_name else "login"
        return f"https://{server}.salesforce.com/services/Soap/u/{self.API_VERSION}"

    def _get_base_url(self) -> str:
        return f"https://{self.hostname}/services"

    def _get_bulk_base_url(self) -> str:
        return f"{self._get_base_url()}/async/{self.API_VERSION}"

    def _get_norm_base_url(self) -> str:
        return f"{self._get_base_url()}/data/v{self.API_VERSION}"

    def _get_norm_query_url(self) -> str:
        return f"{self._get_norm_base_url()}/query"

    def _get_create_job_url(self) -> str:
        return f"{self._get_bulk_base_url()}/job"

    def _get_job_id_url(self, job_id: str) -> str:
        return f"{self._get_create_job_url()}/{job_id}"

    _get_job_details_url = _get_abort_job_url = _get_close_job_url = _get_job_id_url

    def _get_create_batch_url(self, job_id: str) -> str:
        return f"{self._get_job_id_url(job_id)}/batch"

    def _get_batch_info_url(self, job_id: str, batch_id: str) -> str:
        return f"{self._get_create_batch_url(job_id)}/{batch_id}"

    def _get_batch_results_url(self, job_id: str, batch_id: str) -> str:
        return f"{self._get_batch_info_url(job_id, batch_id)}/result"

    def _get_batch_result_url(self, job_id: str, batch_id: str, result_id: str) -> str:
        return f"{self._get_batch_results_url(job_id, batch_id)}/{result_id}"

    # The headers.

    def _get_login_headers(self) -> dict[str, Any]:
        return {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"}

    def _get_session_headers(self) -> dict[str, Any]:
        return {"X-SFDC-Session": self.session_id}

    def _get_norm_session_headers(self) -> dict[str, Any]:
        return {"Authorization": f"Bearer {self.session_id}"}

    def _get_rest_headers(self) -> dict[str, Any]:
        return {**self._get_norm_session_headers(), "Content-Type": "application/json"}

    def _get_job_headers(self) -> dict[str, Any]:
        return {**self._get_session_headers(), "Content-Type": "application/xml; charset=UTF-8"}

    _get_create_job_headers = _get_abort_job_headers = _get_close_job_headers = _get_job_headers

    def _get_create_batch_content_headers(self, content_type: str) -> dict[str, Any]:
        kind = "text/csv" if content_type.lower() == "csv" else "application/xml"
        return {**self._get_session_headers(), "Content-Type": f"{kind}; charset=UTF-8"}

    def _get_batch_info_headers(self) -> dict[str, Any]:
        return self._get_session_headers()

    # What is sent.

    def _get_login_xml(self) -> str:
        token = self.sb_security_token if self.sandbox_name else self.security_token
        return (
            '<?xml version="1.0" encoding="utf-8" ?>'
            '<env:Envelope xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            ' xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
            '<n1:login xmlns:n1="urn:partner.soap.sforce.com">'
            f"<n1:username>{escape(self.username)}</n1:username>"
            f"<n1:password>{escape(f'{self.password}{token}')}</n1:password>"
            "</n1:login></env:Body></env:Envelope>"
        )

    def _get_create_job_xml(
        self, operation: str, obj: str, external_id_field_name: str | None, content_type: str | None
    ) -> str:
        fields = {"operation": operation, "object": obj}
        if external_id_field_name:
            fields["externalIdFieldName"] = external_id_field_name
        # Salesforce reads the fields in this order only.
        fields["contentType"] = str(content_type)
        return self._job_info_xml(fields)

    def _get_abort_job_xml(self) -> str:
        return self._job_info_xml({"state": "Aborted"})

    def _get_close_job_xml(self) -> str:
        return self._job_info_xml({"state": "Closed"})

    def _job_info_xml(self, fields: dict[str, str]) -> str:
        body = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        return f'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{self.API_NS[1:-1]}">{body}</jobInfo>'
