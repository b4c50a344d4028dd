"""The command that searches the tasks of a central scheduler."""

import http.server
import json
import sys
import threading

import pytest

from luigi.tools import luigi_grep

TASKS = {
    "Report_1": {"status": "PENDING", "deps": ["Load_1", "Load_2", "Gone_1"]},
    "Report_2": {"status": "DONE", "deps": []},
    "Load_1": {"status": "DONE", "deps": []},
    "Load_2": {"status": "FAILED", "deps": []},
}


@pytest.fixture
def authorizations():
    """What those who asked the scheduler said of themselves."""
    return []


@pytest.fixture
def scheduler(authorizations):
    """A server that answers as a scheduler does; gives its port."""

    class Graph(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            authorizations.append(self.headers["Authorization"])
            self.send_response(200 if self.path == "/api/graph" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"response": TASKS}).encode())

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Graph) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(30)


def test_tasks_are_found_by_the_beginning_of_their_id(scheduler):
    found = list(luigi_grep.LuigiGrep("127.0.0.1", scheduler).prefix_search("Report"))
    assert found == [
        {
            "name": "Report_1",
            "status": "PENDING",
            "deps_by_status": {"DONE": ["Load_1"], "FAILED": ["Load_2"], "UNKNOWN": ["Gone_1"]},
        },
        {"name": "Report_2", "status": "DONE", "deps_by_status": {}},
    ]


def test_the_token_is_sent(scheduler, authorizations, configure, monkeypatch):
    monkeypatch.delenv("CONDOTTA_TOKEN", raising=False)
    grep = luigi_grep.LuigiGrep("127.0.0.1", scheduler)
    list(grep.status_search("done"))
    configure({"core": {"rpc_token": "configured"}})
    list(grep.status_search("done"))
    monkeypatch.setenv("CONDOTTA_TOKEN", "of the environment")
    list(grep.status_search("done"))
    assert authorizations == [None, "Bearer configured", "Bearer of the environment"]


def test_the_token_is_not_sent_elsewhere(scheduler, authorizations, monkeypatch):
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            authorizations.append(self.headers["Authorization"])
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{scheduler}/api/graph")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    monkeypatch.setenv("CONDOTTA_TOKEN", "secret")
    with http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert list(luigi_grep.LuigiGrep("127.0.0.1", server.server_address[1]).status_search("done"))
        thread.join(30)
    assert authorizations == ["Bearer secret", None]


def test_tasks_are_found_by_status_in_any_case(scheduler):
    found = luigi_grep.LuigiGrep("127.0.0.1", scheduler).status_search("done")
    assert [task["name"] for task in found] == ["Report_2", "Load_1"]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (
            ["--prefix", "Report_1"],
            "Report_1: PENDING, Dependencies:\n  status=DONE\n    Load_1\n  status=FAILED\n    Load_2\n"
            "  status=UNKNOWN\n    Gone_1\n",
        ),
        (["--status", "failed"], "Load_2: FAILED, Dependencies:\n"),
        (["--prefix", "None"], ""),
    ],
)
def test_the_command_prints_what_it_finds(arguments, shown, scheduler, monkeypatch, capsys):
    where = ["--scheduler-host", "127.0.0.1", "--scheduler-port", str(scheduler)]
    monkeypatch.setattr(sys, "argv", ["luigi-grep", *where, *arguments])
    luigi_grep.main()
    assert capsys.readouterr().out == f"Fetching from url: http://127.0.0.1:{scheduler}/api/graph\n" + shown


def test_without_a_question_nothing_is_asked(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["luigi-grep"])
    luigi_grep.main()
    assert capsys.readouterr().out == ""
