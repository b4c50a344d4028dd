"""luigi.contrib.salesforce with a stand-in for Salesforce behind the calls of requests."""

from __future__ import annotations

import csv
import json
import os
import re
import xml.etree.ElementTree as ET
from urllib.parse import urlsplit

import pytest

import luigi
from luigi.mock import MockTarget

requests = pytest.importorskip("requests")
from luigi.contrib import salesforce  # noqa: E402
from luigi.contrib.salesforce import SalesforceAPI, get_soql_fields, parse_results  # noqa: E402

SOAP = '<r xmlns="urn:partner.soap.sforce.com">{}</r>'
ASYNC = "{http://www.force.com/2009/06/asyncapi/dataload}"


def bulk(text):
    return f'<r xmlns="{ASYNC[1:-1]}">{text}</r>'


class Salesforce:
    """Jobs, batches and records; notes what was asked."""

    def __init__(self):
        self.logins = []
        self.jobs = {}
        self.queries = []
        self.states = ["Queued", "Completed"]
        self.reason = ""
        self.results = {"1": b"Name\nAnn\n"}
        self.records = []
        self.page_size = 2

    def post(self, url, headers=None, data=None):
        path = urlsplit(url).path
        root = None if path.endswith("/batch") else ET.fromstring(data)
        if "/Soap/" in path:
            names = ("username", "password")
            self.logins.append((url, *(next(root.iter("{urn:partner.soap.sforce.com}" + n)).text for n in names)))
            return answer(SOAP.format("<sessionId>S</sessionId><serverUrl>https://na1.example/x</serverUrl>"))
        assert headers["X-SFDC-Session"] == "S"
        if path.endswith("/job"):
            self.jobs["J"] = {field.tag.removeprefix(ASYNC): field.text for field in root}
            return answer(bulk("<id>J</id>"))
        if path.endswith("/batch"):
            assert headers["Content-Length"] == str(len(data))
            self.queries.append(data.decode())
            return answer(bulk("<id>B</id>"))
        self.jobs["J"]["state"] = root.find(ASYNC + "state").text
        return answer(bulk("<id>J</id>"))

    def get(self, url, headers=None, params=None, **kwargs):
        path = urlsplit(url).path
        if "/async/" not in path:
            assert headers["Authorization"] == "Bearer S"
            return self.rest(url, params)
        assert headers["X-SFDC-Session"] == "S"
        if path.endswith("/job/J"):
            return answer(bulk("<id>J</id>"))
        if path.endswith("/batch/B"):
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            counts = "<numberRecordsProcessed>1</numberRecordsProcessed><numberRecordsFailed>0</numberRecordsFailed>"
            reason = f"<stateMessage>{self.reason}</stateMessage>" if self.reason else ""
            return answer(bulk(f"<state>{state}</state>{counts}{reason}"))
        if path.endswith("/result"):
            return answer(bulk("".join(f"<result>{name}</result>" for name in self.results)))
        return answer(self.results[path.rpartition("/")[2]])

    def rest(self, url, params):
        if urlsplit(url).path.endswith("/limits"):
            return answer("{}")
        start = int(re.search(r"/query/(\d+)", url).group(1)) if "/query/" in url else 0
        if start == 0:
            self.queries.append(params["q"])
        end = start + self.page_size
        page = {"records": self.records[start:end], "done": end >= len(self.records)}
        if not page["done"]:
            page["nextRecordsUrl"] = f"/services/data/v34.0/query/{end}"
        return answer(json.dumps(page))


def answer(body, status=200):
    response = requests.Response()
    response.status_code = status
    response._content = body if isinstance(body, bytes) else body.encode()
    return response


@pytest.fixture
def server(monkeypatch):
    server = Salesforce()
    monkeypatch.setattr(requests, "post", server.post)
    monkeypatch.setattr(requests, "get", server.get)
    monkeypatch.setattr(salesforce.time, "sleep", lambda seconds: None)
    return server


@pytest.fixture
def query_task(configure):
    """A function that makes a task which writes `out.csv`."""
    configure({"salesforce": {"username": "me@x", "password": "p&<", "security_token": "T", "sb_security_token": "S"}})

    def make(**attributes):
        members = {
            "object_name": "Contact",
            "soql": "SELECT Name FROM Contact",
            "output": lambda self: luigi.LocalTarget("out.csv"),
            **attributes,
        }
        return type("Contacts", (salesforce.QuerySalesforce,), members)()

    return make


def files():
    return sorted(os.listdir())


@pytest.mark.parametrize(
    ("soql", "fields"),
    [
        ("SELECT Id, Name FROM Lead", ["Id", "Name"]),
        ("select Id,\n\tOwner.Name\nfrom Lead where Name = 'from x'", ["Id", "Owner.Name"]),
        ("SELECT Id FROM Lead WHERE Id IN (SELECT LeadId FROM Task)", ["Id"]),
        ("SELECT Id, (SELECT Name, Age FROM Contacts) FROM Account", ["Id", "(SELECTName,AgeFROMContacts)"]),
        ("SELECT DateFrom, SelectedBy FROM X", ["DateFrom", "SelectedBy"]),
    ],
)
def test_the_fields_of_a_query(soql, fields):
    assert get_soql_fields(soql) == fields


def test_records_become_rows():
    record = {
        "attributes": {"type": "Lead", "Id": "no"},
        "Id": 1,
        "Owner": {"attributes": {}, "Name": "é", "Team": {"Name": "t"}},
        "Tags": [1],
        "Other": 2,
    }
    rows = parse_results(["Id", "Owner.Name", "Owner.Team.Name", "Tags"], {"records": [record, {"Owner": None}]})
    assert rows == [[1, "é", "t", None], [None] * 4]


def test_logging_in(server):
    api = SalesforceAPI("me", "p&<", "T", "S")
    api.start_session()
    assert server.logins == [("https://login.salesforce.com/services/Soap/u/34.0", "me", "p&<T")]
    assert (api.session_id, api.hostname) == ("S", "na1.example")
    with pytest.raises(Exception, match="already in progress"):
        api.start_session()


def test_logging_in_to_a_sandbox(server):
    SalesforceAPI("me", "p", "T", "S", "box").start_session()
    assert server.logins == [("https://test.salesforce.com/services/Soap/u/34.0", "me.box", "pS")]


@pytest.mark.parametrize(
    ("elements", "problem"),
    [
        ("<serverUrl>u</serverUrl>", "Invalid login"),
        ("<sessionId>S</sessionId>", "Invalid login"),
        ("<sessionId>S</sessionId><sessionId>T</sessionId><serverUrl>u</serverUrl>", "Multiple session ids"),
        ("<sessionId>S</sessionId><serverUrl>u</serverUrl><serverUrl>v</serverUrl>", "Multiple server urls"),
    ],
)
def test_an_odd_answer_to_the_login(server, monkeypatch, elements, problem):
    monkeypatch.setattr(requests, "post", lambda *args, **kwargs: answer(SOAP.format(elements)))
    api = SalesforceAPI("me", "p", "T")
    with pytest.raises(Exception, match=problem):
        api.start_session()
    assert not api.has_active_session()


def test_a_query_of_several_pages_is_csv(server):
    server.records = [
        {"Name": name, "Owner": {"Name": owner}} for name, owner in [("Ann", "é"), ("B,b", None), ("C", "x")]
    ]
    with SalesforceAPI("me", "p", "T").query_all("SELECT Name, Owner.Name FROM Contact") as file:
        assert list(csv.reader(file)) == [["Name", "Owner.Name"], ["Ann", "é"], ["B,b", ""], ["C", "x"]]


def test_the_next_page_by_id(server):
    server.records = [{"Name": name} for name in "abc"]
    assert SalesforceAPI("me", "p", "T").query_more("2")["records"] == [{"Name": "c"}]


def test_a_query_that_is_refused(server, monkeypatch):
    monkeypatch.setattr(requests, "get", lambda *args, **kwargs: answer("MALFORMED", 400))
    with pytest.raises(Exception, match="MALFORMED"):
        SalesforceAPI("me", "p", "T").query("SELECT")


def test_any_path(server):
    assert SalesforceAPI("me", "p", "T").restful("/limits", {}) is None


def test_the_life_of_a_job(server):
    api = SalesforceAPI("me", "p", "T")
    for call in (
        lambda: api.close_job("J"),
        lambda: api.create_batch("J", "x", "CSV"),
        lambda: api.block_on_batch("J", "B"),
    ):
        with pytest.raises(Exception, match="active session"):
            call()
    assert api.create_operation_job("upsert", "A&B", "Key__c", "CSV") == "J"
    assert list(server.jobs["J"].items()) == [
        ("operation", "upsert"),
        ("object", "A&B"),
        ("externalIdFieldName", "Key__c"),
        ("contentType", "CSV"),
    ]
    assert api.create_batch("J", "é", "CSV") == "B"
    assert api.block_on_batch("J", "B")["state"] == "Completed"
    assert "J" in api.get_job_details("J").text
    api.close_job("J")
    assert server.jobs["J"]["state"] == "Closed"
    api.abort_job("J")
    assert server.jobs["J"]["state"] == "Aborted"


def test_waiting_has_a_bound(server):
    server.states = ["InProgress"]
    api = SalesforceAPI("me", "p", "T")
    api.start_session()
    with pytest.raises(Exception, match="did not complete in 0 seconds"):
        api.block_on_batch("J", "B", max_wait_time_seconds=0)


def test_the_only_result_is_the_output(server, query_task):
    task = query_task()
    task.run()
    assert open("out.csv").read() == "Name\nAnn\n"
    assert server.queries == ["SELECT Name FROM Contact"]
    assert server.jobs["J"]["state"] == "Closed"
    assert server.logins[0][1:] == ("me@x", "p&<T")
    assert files() == ["out.csv"]


def test_several_results_are_merged(server, query_task):
    server.results = {"1": b"Name\nAnn\n", "2": "Name\né\n".encode(), "3": b"Name\n"}
    query_task().run()
    assert open("out.csv", encoding="utf-8").read() == "Name\nAnn\né\n"
    assert files() == ["out.csv"]


def test_results_that_cannot_be_merged_leave_nothing(server, query_task):
    server.results = {"1": b"<a/>", "2": b"<b/>"}
    with pytest.raises(Exception, match="not implemented for XML"):
        query_task(content_type="XML").run()
    assert files() == []
    assert server.jobs["J"]["state"] == "Closed"


def test_a_query_in_a_file(server, query_task):
    with open("query.soql", "w") as file:
        file.write("SELECT Id FROM Contact")
    query_task(soql="query.soql", is_soql_file=True).run()
    assert server.queries == ["SELECT Id FROM Contact"]


def test_a_batch_that_fails(server, query_task):
    server.states, server.reason = ["Failed"], "no such field"
    with pytest.raises(Exception, match="no such field"):
        query_task().run()
    assert server.jobs["J"]["state"] == "Closed"
    assert files() == []


def test_related_objects_are_asked_for_over_rest(server, query_task):
    server.states, server.reason = ["Failed"], "Foreign Key Relationships not supported in query"
    server.records = [{"Name": "Ann", "Owner": {"Name": "Bob"}}, {"Name": "Cy", "Owner": None}]
    query_task(soql="SELECT Name, Owner.Name FROM Contact").run()
    with open("out.csv", newline="") as file:
        assert list(csv.reader(file)) == [["Name", "Owner.Name"], ["Ann", "Bob"], ["Cy", ""]]
    assert server.jobs["J"]["state"] == "Closed"


def test_a_sandbox_needs_its_name(server, query_task):
    with pytest.raises(Exception, match="sandbox"):
        query_task(use_sandbox=True).run()
    query_task(use_sandbox=True, sandbox_name="box").run()
    assert server.logins[0][1:] == ("me@x.box", "p&<S")


def test_the_first_result_alone_is_deprecated(server):
    api = SalesforceAPI("me", "p", "T")
    api.start_session()
    with pytest.warns(UserWarning, match="deprecated"):
        assert api.get_batch_results("J", "B") == "1"


def test_the_output_may_be_in_memory(query_task, monkeypatch):
    task = query_task(output=lambda self: MockTarget("job.csv"))
    assert task._part_path(2) == "job.csv.2"
