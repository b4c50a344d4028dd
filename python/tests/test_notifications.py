"""Mails about failed tasks: what they say, to whom they go, and how they are sent."""

import email
import email.header
import email.policy
import os
import socketserver
import subprocess
import sys
import threading
import types

import pytest
from test_central import environment

import luigi
from luigi import notifications


class Report(luigi.Task):
    day = luigi.Parameter()
    longer_name = luigi.IntParameter(default=3)


PLAIN = """\
Something failed

Name: Report

Parameters:
  day        : today
  longer_name: 3

Command line:
  luigi Report

the traceback
"""


def test_a_plain_mail_shows_the_task(configure):
    configure({})
    assert (
        notifications.format_task_error("Something failed", Report("today"), "luigi Report", "the traceback") == PLAIN
    )


def test_a_task_without_parameters_or_traceback(configure):
    class Bare(luigi.Task):
        pass

    configure({})
    body = notifications.format_task_error("head", Bare(), "luigi Bare")
    assert body == "head\n\nName: Bare\n\nParameters:\n\n\nCommand line:\n  luigi Bare\n\n\n"


def test_an_html_mail_shows_the_task(configure, monkeypatch):
    configure({"email": {"format": "html"}})
    monkeypatch.setitem(sys.modules, "pygments", None)
    body = notifications.format_task_error("head", Report("today"), "luigi Report", "the traceback")
    for part in (
        "<h2>head</h2>",
        "<tr><th>name</th><td>Report</td></tr>",
        "<tr><th>day</th><td>today</td></tr>\n<tr><th>longer_name</th><td>3</td></tr>",
        "<pre>\nluigi Report\n</pre>",
        "<h2>Traceback</h2>\n<pre>the traceback</pre>",
    ):
        assert part in body


def test_an_html_traceback_is_coloured_where_pygments_is_there(configure, monkeypatch):
    configure({"email": {"format": "html"}})
    names = {
        "pygments": {"highlight": lambda text, lexer, formatter: f"{text} by {lexer}, {formatter}"},
        "pygments.formatters": {"HtmlFormatter": lambda noclasses: f"formatter {noclasses}"},
        "pygments.lexers": {"PythonTracebackLexer": lambda: "lexer"},
    }
    for name, attributes in names.items():
        module = types.ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    assert notifications.wrap_traceback("text") == "text by lexer, formatter True"


def test_a_long_traceback_is_cut(configure):
    configure({"email": {"traceback_max_length": "5"}})
    body = notifications.format_task_error("head", Report("today"), "luigi", "123456789")
    assert body.endswith("\n12345...Traceback exceeds max length and has been truncated.\n")
    assert notifications.format_task_error("head", Report("today"), "luigi", "12345").endswith("\n12345\n")


@pytest.fixture
def outbox(monkeypatch):
    """What is handed to SMTP. The output is no terminal."""
    sent = []
    monkeypatch.setattr(notifications, "send_email_smtp", lambda *arguments: sent.append(arguments))
    monkeypatch.setattr("sys.stdout", types.SimpleNamespace(isatty=lambda: False))
    return sent


def test_an_error_goes_to_the_receiver_and_the_owners(configure, outbox):
    configure({"email": {"receiver": "a@x, b@x", "prefix": "[test]", "sender": "me@x"}})
    notifications.send_error_email("subject", "message", ["c@x"])
    notifications.send_error_email("subject", "message", "d@x,e@x")
    notifications.send_error_email("subject", "message")
    assert outbox == [
        ("me@x", "[test] subject", "message", ["a@x", "b@x", "c@x"], None),
        ("me@x", "[test] subject", "message", ["a@x", "b@x", "d@x", "e@x"], None),
        ("me@x", "[test] subject", "message", ["a@x", "b@x"], None),
    ]


@pytest.mark.parametrize("recipients", [None, [], (), (None,)])
def test_nothing_is_sent_to_nobody(recipients, configure, outbox):
    configure({})
    notifications.send_email("subject", "message", "me@x", recipients)
    notifications.send_error_email("subject", "message")
    assert outbox == []


@pytest.mark.parametrize(
    ("settings", "terminal", "sent"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"force_send": "true"}, True, True),
        ({"format": "none"}, False, False),
        ({"format": "none", "force_send": "true"}, True, False),
    ],
)
def test_whether_a_mail_is_sent(settings, terminal, sent, configure, outbox, monkeypatch):
    configure({"email": settings})
    monkeypatch.setattr("sys.stdout", types.SimpleNamespace(isatty=lambda: terminal))
    notifications.send_email("subject", "message", "me@x", ["you@x"])
    assert bool(outbox) is sent


@pytest.mark.parametrize("method", ["smtp", "sendgrid", "ses", "sns"])
def test_the_method_chooses_the_sender(method, configure, outbox, monkeypatch):
    configure({"email": {"method": method}})
    sent = []
    monkeypatch.setattr(notifications, "send_email_" + method, lambda *arguments: sent.append(arguments))
    notifications.send_email("subject", "message", "me@x", ["you@x"], image_png="plot.png")
    assert sent == [("me@x", "subject", "message", ["you@x"], "plot.png")]


def test_old_names_of_options_still_count(configure):
    configure({"core": {"error-email": "old@x", "email-sender": "from@x", "smtp_host": "mail"}})
    with pytest.warns(DeprecationWarning):
        assert notifications.email().receiver == "old@x"
        assert notifications.email().sender == "from@x"
        assert notifications.smtp().host == "mail"


def test_a_mail_has_its_parts(configure, tmp_path):
    configure({"email": {"format": "html"}})
    (tmp_path / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\nplot")
    mail = notifications.generate_email("me@x", "Ä", "böse", ["a@x", "b@x"], str(tmp_path / "plot.png"))
    assert (mail["From"], mail["To"]) == ("me@x", "a@x,b@x")
    assert str(email.header.make_header(email.header.decode_header(mail["Subject"]))) == "Ä"
    text, image = mail.get_payload()
    assert (text.get_content_type(), image.get_content_type()) == ("text/html", "image/png")
    assert text.get_payload(decode=True).decode() == "böse"
    assert image.get_payload(decode=True) == b"\x89PNG\r\n\x1a\nplot"


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail needs."""

    def handle(self):
        self.say("220 here")
        for line in self.rfile:
            command = line.decode().strip()
            self.server.heard.append(command)
            if command.lower() == "data":
                self.say("354 go on")
                self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.say("250 fine")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


@pytest.fixture
def mail_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as server:
        server.daemon_threads = True
        server.mails, server.heard = [], []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(30)


def test_a_mail_arrives_at_a_server(configure, mail_server):
    host, port = mail_server.server_address
    configure({"smtp": {"host": host, "port": str(port), "local_hostname": "client"}, "email": {"force_send": "true"}})
    notifications.send_email("subject", "message", "me@x", ["a@x", "b@x"])
    heard = [command.lower() for command in mail_server.heard[:4]]
    assert heard == ["ehlo client", "mail from:<me@x>", "rcpt to:<a@x>", "rcpt to:<b@x>"]
    mail = email.message_from_bytes(mail_server.mails[0])
    assert (mail["Subject"], mail.get_payload()[0].get_payload(decode=True)) == ("subject", b"message")


#: By the words of a command line: what the mail's subject, error and command show.
SECRETS = {
    "Reveals --password hunter22 --pin 7 --place cellar": (
        "Reveals(password=***, pin=***, place=***) FAILED",
        "RuntimeError: no luck with ***",
        "Reveals --password *** --pin *** --place ***",
    ),
    'Uncertain --passw hunter22 --keys ["hunter22","x"] --marks={"a":"cellar"} --Uncertain-place=cellar --day 3': (
        "Uncertain(password=***, pin=***, place=***, keys=***, marks=***, day=3) failed scheduling",
        "ValueError: ***, ***",
        "Uncertain --passw *** --keys *** --marks=*** --Uncertain-place=*** --day 3",
    ),
    'Unknown --password hunter22 --keys ["hunter22"] --day 3': (
        "Unknown(password=***, pin=***, place=***, keys=***, marks=***, day=3) failed scheduling",
        "ValueError: ***, ***",
        "Unknown --password *** --keys *** --day 3",
    ),
    "Fails --smtp-password swordfish --sendgrid-apikey=swordfish": (
        "Fails() FAILED",
        "RuntimeError: no luck\n",
        "Fails --smtp-password *** --sendgrid-apikey=***",
    ),
    "Guard --password hunter22": ("Fails() FAILED", "RuntimeError: no luck\n", "Guard --password ***"),
}


@pytest.mark.parametrize("words", SECRETS)
@pytest.mark.parametrize("way", [[], ["--workers", "2"]], ids=["in the worker's process", "in processes"])
def test_a_workers_mail_shows_no_private_or_hidden_value(words, way, mail_server, tmp_path):
    host, port = mail_server.server_address
    settings = f"[email]\nreceiver = you@x\n[smtp]\nhost = {host}\nport = {port}\nlocal_hostname = client\n"
    (tmp_path / "luigi.cfg").write_text(settings)
    command = [sys.executable, "-m", "luigi", "--module", "noisy", "--local-scheduler", "--no-lock"]
    env = environment(NOISY_FOLDER=str(tmp_path))
    subprocess.run([*command, *words.split(), *way], cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, timeout=60)
    [data] = mail_server.mails
    mail = email.message_from_bytes(data, policy=email.policy.default)
    body = mail.get_payload()[0].get_content()
    for secret in ("hunter22", "cellar", "swordfish"):
        assert secret not in mail["Subject"] + body
    subject, error, shown = SECRETS[words]
    assert subject in mail["Subject"]
    assert error in body
    assert f"--module noisy --local-scheduler --no-lock {shown}" in body
    assert ("  day: 3\n" in body) == ("--day 3" in words)
    assert "place" not in body.partition("Command line")[0].partition("Parameters:")[2]


def test_a_server_that_is_not_there_is_logged(configure, mail_server, caplog):
    host, port = mail_server.server_address
    mail_server.server_close()
    configure({"smtp": {"host": host, "port": str(port)}})
    notifications.send_email_smtp("me@x", "subject", "message", ["a@x"], None)
    assert "Not able to connect to smtp server" in caplog.text


def fake_module(monkeypatch, name, **attributes):
    module = types.ModuleType(name)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, name, module)


ANSWER = {"MessageId": "m", "ResponseMetadata": {"RequestId": "r", "HTTPStatusCode": 200}}


def test_amazon_ses_gets_the_whole_mail(configure, monkeypatch, caplog):
    configure({})
    calls = []
    client = types.SimpleNamespace(send_raw_email=lambda **options: calls.append(options) or ANSWER)
    fake_module(monkeypatch, "boto3", client=lambda service: {"ses": client}[service])
    with caplog.at_level("DEBUG", logger="luigi-interface"):
        notifications.send_email_ses("me@x", "subject", "message", ["a@x"], None)
    [call] = calls
    assert (call["Source"], call["Destinations"]) == ("me@x", ["a@x"])
    assert email.message_from_string(call["RawMessage"]["Data"])["Subject"] == "subject"
    assert "Message sent to SES.\nMessageId: m,\nRequestId: r,\nHTTPSStatusCode: 200" in caplog.text


def test_amazon_sns_gets_a_subject_that_it_takes(configure, monkeypatch):
    configure({})
    calls = []

    def topic(name):
        return types.SimpleNamespace(publish=lambda **options: calls.append((name, options)) or ANSWER)

    fake_module(monkeypatch, "boto3", resource=lambda service: types.SimpleNamespace(Topic=topic))
    notifications.send_email_sns("me@x", "s" * 100, "message", ["arn"], None)
    notifications.send_email_sns("me@x", "a" * 60 + "b" * 60, "message", ["arn"], None)
    assert calls == [
        ("arn", {"Subject": "s" * 100, "Message": "message"}),
        ("arn", {"Subject": "a" * 48 + "..." + "b" * 49, "Message": "message"}),
    ]


@pytest.mark.parametrize(("format", "kind"), [("plain", "text/plain"), ("html", "text/html")])
def test_sendgrid_gets_the_content(format, kind, configure, monkeypatch):
    configure({"email": {"format": format}, "sendgrid": {"apikey": "secret"}})
    log = []

    class Mail:
        def __init__(self, **fields):
            log.append(fields)

        def add_content(self, *content):
            log.append(content)

        def add_attachment(self, path):
            log.append(path)

    class Client:
        def __init__(self, key):
            log.append(key)

        def send(self, mail):
            log.append(type(mail))

    fake_module(monkeypatch, "sendgrid", Mail=Mail, SendGridAPIClient=Client)
    notifications.send_email_sendgrid("me@x", "subject", "message", ["a@x"], "plot.png")
    fields = {"from_email": "me@x", "to_emails": ["a@x"], "subject": "subject"}
    assert log == ["secret", fields, ("message", kind), "plot.png", Mail]


def test_the_test_task_fails_where_it_is_asked_to():
    with pytest.raises(ValueError, match="Testing notifications triggering"):
        notifications.TestNotificationsTask().run()
    assert notifications.TestNotificationsTask().complete() is False
    with pytest.raises(ValueError, match="Testing notifications triggering"):
        notifications.TestNotificationsTask(raise_in_complete=True).complete()


def test_nothing_for_mails_is_imported_before_one_is_sent():
    program = "import sys, luigi.notifications; print(sorted({'email', 'smtplib', 'boto3'} & set(sys.modules)))"
    # Without site packages, whose start files may import anything.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-S", "-W", "ignore", "-c", program]
    assert subprocess.check_output(command, env=environment) == b"[]\n"
