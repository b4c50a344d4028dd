"""A mail server for tests: writes each mail that it takes to a file, a JSON object a line.

Called with a folder. What it is to do is in the folder's file `receiver.json`, read for each mail or connection:
`refuse` (an answer to every mail), `ssl` or `starttls` (TLS with the folder's cert.pem and key.pem), `user` and
`password` (who has to log in). The port goes to the file `smtp-port` once it listens.
"""

import email
import email.policy
import json
import pathlib
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

folder = pathlib.Path(sys.argv[1])
wanted = json.loads((folder / "receiver.json").read_text())


class Handler:
    """Keeps mails, or refuses them."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 there is no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        refuse = json.loads((folder / "receiver.json").read_text()).get("refuse")
        if refuse:
            return refuse
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        (part,) = message.iter_parts()
        kept = {
            "from": str(message["From"]),
            "to": envelope.rcpt_tos,
            "subject": str(message["Subject"]),
            "kind": part.get_content_type(),
            "body": part.get_content().replace("\r\n", "\n"),
            "type": message.get_content_type(),
            "tls": session.ssl is not None or bool(wanted.get("ssl")),
            "login": bool(session.authenticated),
        }
        with open(folder / "mails.jsonl", "a") as mails:
            mails.write(json.dumps(kept) + "\n")
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    """Lets the one user in."""
    given = (data.login.decode(), data.password.decode())
    return AuthResult(success=given == (wanted["user"], wanted["password"]))


def context():
    """TLS with the folder's certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


settings = {}
if "user" in wanted:
    settings = {"authenticator": authenticate, "auth_required": True}
    if not wanted.get("starttls"):
        settings["auth_require_tls"] = False


class Server(Controller):
    """With the settings that the folder asks for."""

    def factory(self):
        tls = context() if wanted.get("starttls") else None
        return SMTP(self.handler, tls_context=tls, **settings)


class Bound(Server):
    """The port is the system's choice; the controller's own trial connection needs to know it."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


port = wanted.get("port", 0)
controller = Bound(Handler(), hostname="127.0.0.1", port=port, ssl_context=context() if wanted.get("ssl") else None)
controller.start()
(folder / "smtp-port.new").write_text(str(controller.port))
(folder / "smtp-port.new").rename(folder / "smtp-port")
while True:
    time.sleep(60)
