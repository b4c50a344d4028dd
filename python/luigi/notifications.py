"""E-mail about tasks that fail: what the message says, whether it is sent, and by which service.

`[email] receiver` turns it on; `[email] method` chooses between SMTP, SendGrid, Amazon SES and SNS.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from luigi._parameter.base import UnsetParameter
from luigi.parameter import BoolParameter, ChoiceParameter, FloatParameter, IntParameter, Parameter
from luigi.task import Config, Task

if TYPE_CHECKING:
    import smtplib
    from collections.abc import Iterable, Sequence
    from email.message import Message

logger = logging.getLogger("luigi-interface")


def _host_name() -> str:
    """This machine's name; `os.uname` knows it without the cost of importing `socket`."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket

    return socket.gethostname()


DEFAULT_CLIENT_EMAIL = "luigi-client@%s" % _host_name()


class TestNotificationsTask(Task):
    """Fails on purpose, so that you see whether a mail about a failed task reaches you.

    Try it with `luigi TestNotificationsTask --local-scheduler --email-force-send`.
    """

    # The name is Luigi's; pytest must not take the class for a test.
    __test__ = False

    raise_in_complete = BoolParameter(description="Fail while completeness is checked, not while the task runs")

    def run(self) -> None:
        """Fails."""
        raise ValueError("Testing notifications triggering")

    def complete(self) -> bool:
        """False, or a failure with `raise_in_complete`."""
        if self.raise_in_complete:
            raise ValueError("Testing notifications triggering")
        return False


def _core(name: str) -> Any:
    """The place in the configuration where an option was kept before it got a section of its own."""
    return {"section": "core", "name": name}


class email(Config):
    """The section `[email]`."""

    # The engine's server reads these.
    ignore_unconsumed = {"max_queue", "retry_for"}

    force_send = BoolParameter(default=False, description="Send mail although the output goes to a terminal")
    format = ChoiceParameter(
        default="plain",
        choices=("plain", "html", "none"),
        config_path=_core("email-type"),
        description="How the mail is written; none sends no mail",
    )
    method = ChoiceParameter(
        default="smtp",
        choices=("smtp", "sendgrid", "ses", "sns"),
        config_path={"section": "email", "name": "type"},
        description="The service that sends the mail",
    )
    prefix = Parameter(default="", config_path=_core("email-prefix"), description="Text before every subject")
    receiver = Parameter(
        default="",
        config_path=_core("error-email"),
        description="Addresses that errors are sent to, with commas between",
    )
    traceback_max_length = IntParameter(default=5000, description="Characters of a traceback that are shown at most")
    sender = Parameter(
        default=DEFAULT_CLIENT_EMAIL, config_path=_core("email-sender"), description="Address that mail comes from"
    )


class smtp(Config):
    """The section `[smtp]`."""

    # The engine's server reads these.
    ignore_unconsumed = {"ca_file", "verify"}

    host = Parameter(default="localhost", config_path=_core("smtp_host"), description="Name of the mail server")
    local_hostname = UnsetParameter(
        default=None,
        config_path=_core("smtp_local_hostname"),
        description="Name by which this machine greets the server, if not its own",
    )
    no_tls = BoolParameter(default=False, config_path=_core("smtp_without_tls"), description="Never switch to TLS")
    password = UnsetParameter(default=None, config_path=_core("smtp_password"), description="Password at the server")
    port = IntParameter(default=0, config_path=_core("smtp_port"), description="Port of the server; 0 is the usual one")
    ssl = BoolParameter(default=False, config_path=_core("smtp_ssl"), description="Talk TLS from the first byte")
    timeout = FloatParameter(
        default=10.0, config_path=_core("smtp_timeout"), description="Seconds to wait for the server; 0 is no limit"
    )
    username = UnsetParameter(default=None, config_path=_core("smtp_login"), description="User name at the server")


class sendgrid(Config):
    """The section `[sendgrid]`."""

    apikey = Parameter(
        config_path={"section": "email", "name": "SENGRID_API_KEY"}, description="Key for the service's interface"
    )


def generate_email(
    sender: str, subject: str, message: str, recipients: Sequence[str], image_png: str | None
) -> Message:
    """Builds the mail; `image_png` is the path of a picture to attach."""
    from email.mime.image import MIMEImage
    from email.mime.multipart import MIMEMultipart
    from email.mime.text import MIMEText

    mail = MIMEMultipart("related")
    mail.attach(MIMEText(message, email().format, "utf-8"))
    if image_png:
        with open(image_png, "rb") as file:
            mail.attach(MIMEImage(file.read(), "png"))
    for header, text in (("Subject", subject), ("From", sender), ("To", ",".join(recipients))):
        mail[header] = text
    return mail


def wrap_traceback(traceback: str) -> str:
    """Prepares a traceback for the mail's format: coloured HTML if Pygments is installed, or as it is."""
    if email().format != "html":
        return traceback
    try:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonTracebackLexer
    except ImportError:
        return "<pre>%s</pre>" % traceback
    return highlight(traceback, PythonTracebackLexer(), HtmlFormatter(noclasses=True))


def send_email_smtp(sender: str, subject: str, message: str, recipients: Sequence[str], image_png: str | None) -> None:
    """Sends through the server of `[smtp]`. A server that cannot be reached is logged, nothing more."""
    try:
        server = _smtp_server(smtp())
        mail = generate_email(sender, subject, message, recipients, image_png)
        server.sendmail(sender, recipients, mail.as_string())
    except OSError as error:
        logger.error("Not able to connect to smtp server: %s", error)


def _smtp_server(settings: smtp) -> smtplib.SMTP:
    """Connects to the server of `[smtp]`, encrypted and logged in as far as that is wanted and offered."""
    import smtplib

    wanted = ("host", "port", "local_hostname", *(["timeout"] if settings.timeout else []))
    connect = smtplib.SMTP_SSL if settings.ssl else smtplib.SMTP
    server = connect(**{name: getattr(settings, name) for name in wanted})
    server.ehlo_or_helo_if_needed()
    if not settings.no_tls and server.has_extn("starttls"):
        server.starttls()
    if settings.username and settings.password:
        server.login(settings.username, settings.password)
    return server


def _log_amazon_answer(service: str, answer: dict[str, Any]) -> None:
    metadata = answer["ResponseMetadata"]
    logger.debug(
        "Message sent to {}.\nMessageId: {},\nRequestId: {},\nHTTPSStatusCode: {}".format(
            service, answer["MessageId"], metadata["RequestId"], metadata["HTTPStatusCode"]
        )
    )


def send_email_ses(sender: str, subject: str, message: str, recipients: Sequence[str], image_png: str | None) -> None:
    """Sends through Amazon SES. The keys are those that boto3 finds by itself."""
    from boto3 import client as boto3_client

    mail = generate_email(sender, subject, message, recipients, image_png)
    answer = boto3_client("ses").send_raw_email(
        Source=sender, Destinations=recipients, RawMessage={"Data": mail.as_string()}
    )
    _log_amazon_answer("SES", answer)


def send_email_sendgrid(
    sender: str, subject: str, message: str, recipients: Sequence[str], image_png: str | None
) -> None:
    """Sends through SendGrid, with the key of `[sendgrid]`."""
    import sendgrid as sendgrid_lib

    client = sendgrid_lib.SendGridAPIClient(sendgrid().apikey)
    mail = sendgrid_lib.Mail(from_email=sender, to_emails=recipients, subject=subject)
    mail.add_content(message, "text/html" if email().format == "html" else "text/plain")
    if image_png:
        mail.add_attachment(image_png)
    client.send(mail)


def _email_disabled_reason() -> str | None:
    """Why no mail is sent now, or None."""
    settings = email()
    if settings.format == "none":
        return "email format is 'none'"
    if not settings.force_send and sys.stdout.isatty():
        return "running from a tty"
    return None


def send_email_sns(sender: str, subject: str, message: str, topic_ARN: Sequence[str], image_png: str | None) -> None:
    """Publishes on Amazon SNS; the first recipient is the topic. The keys are those that boto3 finds."""
    from boto3 import resource as boto3_resource

    topic = boto3_resource("sns").Topic(topic_ARN[0])
    if len(subject) > 100:  # SNS takes no longer one.
        subject = subject[:48] + "..." + subject[-49:]
    _log_amazon_answer("SNS", topic.publish(Subject=subject, Message=message))


def send_email(
    subject: str, message: str, sender: str, recipients: Iterable[str] | None, image_png: str | None = None
) -> None:
    """Sends a mail by the method of `[email]`, unless mail is off, there is nobody to send it to, or
    the output goes to a terminal. One recipient may be several addresses with commas between."""
    senders = {
        "ses": send_email_ses,
        "sendgrid": send_email_sendgrid,
        "smtp": send_email_smtp,
        "sns": send_email_sns,
    }
    subject = _prefix(subject)
    if not recipients or recipients == (None,):
        return
    reason = _email_disabled_reason()
    if reason:
        logger.info("Not sending email to %r because %s", recipients, reason)
        return
    addresses = [address.strip() for entry in recipients for address in entry.split(",") if address.strip()]
    logger.info("Sending email to %r", addresses)
    senders[email().method](sender, subject, message, addresses, image_png)


def _email_recipients(additional_recipients: str | Iterable[str] | None = None) -> list[str]:
    """The configured receiver and those that a task adds."""
    receiver = email().receiver
    recipients = [receiver] if receiver else []
    if isinstance(additional_recipients, str):
        additional_recipients = [additional_recipients] if additional_recipients else []
    recipients.extend(additional_recipients or ())
    return recipients


def send_error_email(subject: str, message: str, additional_recipients: str | Iterable[str] | None = None) -> None:
    """Sends a mail to the configured receiver and to `additional_recipients`, if there is anybody."""
    recipients = _email_recipients(additional_recipients)
    send_email(subject=subject, message=message, sender=email().sender, recipients=recipients)


def _prefix(subject: str) -> str:
    """The subject behind the configured prefix."""
    prefix = email().prefix
    return f"{prefix} {subject}" if prefix else subject


_PLAIN_BODY = """\
{headline}

Name: {name}

Parameters:
{params}

Command line:
  {command}

{traceback}
"""

# The stray end tag is part of what Luigi sends.
_HTML_BODY = """
<html>
<body>
<h2>{headline}</h2>

<table style="border-top: 1px solid black; border-bottom: 1px solid black">
<thead>
<tr><th>name</th><td>{name}</td></tr>
</thead>
<tbody>
{params}
</tbody>
</table>
</pre>

<h2>Command line</h2>
<pre>
{command}
</pre>

<h2>Traceback</h2>
{traceback}
</body>
</html>
"""


def format_task_error(headline: str, task: Task, command: str, formatted_exception: str | None = None) -> str:
    """The body of a mail about a task: the headline, its name, public parameters and command, and the traceback.

    A traceback longer than `[email] traceback_max_length` characters is cut.
    """
    settings = email()
    traceback = formatted_exception or ""
    if len(traceback) > settings.traceback_max_length:
        traceback = traceback[: settings.traceback_max_length]
        traceback += "...Traceback exceeds max length and has been truncated."
    if traceback:
        traceback = wrap_traceback(traceback)

    params = task.to_str_params(only_public=True)
    if settings.format == "html":
        body = _HTML_BODY
        rows = [f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in params.items()]
    else:
        body = _PLAIN_BODY
        width = max(map(len, params), default=0)
        rows = ["  {:{}}: {}".format(name, width, value) for name, value in params.items()]
    return body.format(
        headline=headline, name=task.task_family, params="\n".join(rows), command=command, traceback=traceback
    )
