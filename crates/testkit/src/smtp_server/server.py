"""A mail server for tests. Keeps what it takes as files; says on stdout where it listens, and who comes.

Usage: smtp_server.py SETTINGS, where SETTINGS is JSON:
  folder       where messages are kept
  certificate  and key: files for TLS, if any
  tls          "starttls" (required then), "tls" (from the start), or null
  login        [user, password] that is required, or null
  behaviour    "takes", "refuses us" (553), "refuses" (550), "is busy" (451), "drops" (the connection, behind DATA), "is silent",
               "repeats" (commands that it does not like, as AUTH)
"""

import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

SETTINGS = json.loads(sys.argv[1])
BEHAVIOUR = SETTINGS["behaviour"]


def say(text):
    print(text, flush=True)


class Handler:
    count = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        if BEHAVIOUR == "refuses us":
            return "553 5.7.1 not from you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if BEHAVIOUR == "refuses":
            return "550 5.1.1 no mailbox of that name"
        if BEHAVIOUR == "is busy":
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if BEHAVIOUR == "drops":
            server.transport.abort()
            return "250 OK"
        self.count += 1
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None or SETTINGS["tls"] == "tls",
            "user": session.auth_data,
            "message": envelope.content.decode("utf-8"),
        }
        place = os.path.join(SETTINGS["folder"], f"{self.count}.json")
        with open(place + ".part", "w") as file:
            json.dump(kept, file)
        # Whoever looks finds all of it or nothing.
        os.replace(place + ".part", place)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    if BEHAVIOUR == "repeats":
        return AuthResult(success=False, handled=False, message="500 what is " + data.password.decode())
    said = [data.login.decode(), data.password.decode()]
    if said == SETTINGS["login"]:
        return AuthResult(success=True, auth_data=said[0])
    return AuthResult(success=False, handled=False)


def tls_context():
    if SETTINGS["tls"] is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SETTINGS["certificate"], SETTINGS["key"])
    return context


class Silent(asyncio.Protocol):
    def connection_made(self, transport):
        say("somebody is here")


def protocol(handler, context):
    if BEHAVIOUR == "is silent":
        return Silent()
    starttls = SETTINGS["tls"] == "starttls"
    login = SETTINGS["login"] is not None
    return SMTP(
        handler,
        hostname="mail.example.com",
        tls_context=context if starttls else None,
        require_starttls=starttls,
        auth_required=login,
        auth_require_tls=False,
        authenticator=authenticate if login else None,
        loop=asyncio.get_running_loop(),
    )


async def main():
    context, handler = tls_context(), Handler()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(handler, context), "127.0.0.1", 0, ssl=context if SETTINGS["tls"] == "tls" else None
    )
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
