"""What alerts are sent to: an HTTP server and a mail server, each on a free port of 127.0.0.1.

usage: receivers.py <secret of the webhook> <schema of the webhook> <key to hold back, or ->

Prints the two ports on the first line, then a JSON line for each thing that arrives, with what is wrong with
it. Paths: /hook takes a signed webhook, /slack what an incoming webhook of Slack takes, /pagerduty what its
Events API v2 takes. Everything that is checked is checked here by somebody else's code: hmac of Python's
library, jsonschema, email, aiosmtpd.

It answers nothing to the first request whose idempotency key begins with the key to hold back. It ends when
its standard input is closed, and by itself after five minutes.
"""

import email
import email.policy
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

try:
    import jsonschema
    from aiosmtpd.controller import Controller
except ImportError as error:
    sys.exit(f"{error}: run `cargo xtask test`, which installs tests/moto/requirements.txt")

LIFETIME_SECONDS = 300
SECRET, SCHEMA, HELD_BACK = sys.argv[1:4]
HELD = threading.Event()
OUT = threading.Lock()


def tell(what):
    with OUT:
        print(json.dumps(what), flush=True)


def webhook(headers, body):
    timestamp = headers.get("Scanner-Timestamp", "")
    signed = timestamp.encode() + b"." + body
    expected = "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, headers.get("Scanner-Signature", "")):
        yield "the signature does not fit"
    if abs(time.time() - int(timestamp or 0)) > 300:
        yield "the timestamp is not the present"
    if not headers.get("Idempotency-Key"):
        yield "there is no idempotency key"
    with open(SCHEMA) as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    for error in validator.iter_errors(json.loads(body)):
        yield f"{error.json_path}: {error.message}"


def slack(_, body):
    """Block Kit's limits: https://docs.slack.dev/reference/block-kit/blocks"""
    message = json.loads(body)
    blocks = message["blocks"]
    if not message.get("text"):
        yield "there is no text for notifications"
    if not 1 <= len(blocks) <= 50:
        yield f"{len(blocks)} blocks"
    for block in blocks:
        match block["type"]:
            case "header":
                if block["text"]["type"] != "plain_text" or not 1 <= len(block["text"]["text"]) <= 150:
                    yield f"header: {block}"
            case "section":
                if not 1 <= len(block["text"]["text"]) <= 3000:
                    yield f"section: {block}"
                for sign in "<>":
                    if sign in block["text"]["text"]:
                        yield f"{sign} in {block}"
            case "actions":
                if not 1 <= len(block["elements"]) <= 25:
                    yield f"actions: {block}"
                for element in block["elements"]:
                    if len(element["text"]["text"]) > 75 or len(element["url"]) > 3000:
                        yield f"button: {element}"
            case other:
                yield f"a block of type {other}"


def pagerduty(_, body):
    """https://developer.pagerduty.com/docs/send-alert-event"""
    event = json.loads(body)
    if len(body) > 512 * 1024:
        yield "larger than 512 KB"
    if event["event_action"] not in ("trigger", "acknowledge", "resolve"):
        yield f"event_action {event['event_action']}"
    if not event["routing_key"] or not 1 <= len(event["dedup_key"]) <= 255:
        yield "routing_key or dedup_key"
    if event["event_action"] == "trigger":
        payload = event["payload"]
        if not 1 <= len(payload["summary"]) <= 1024 or not payload["source"]:
            yield "summary or source"
        if payload["severity"] not in ("critical", "warning", "error", "info"):
            yield f"severity {payload['severity']}"
        for link in event["links"]:
            if not link["href"].startswith("https://"):
                yield f"link {link}"


CHECKS = {"/hook": webhook, "/slack": slack, "/pagerduty": pagerduty}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("Idempotency-Key") or ""
        check = CHECKS.get(self.path)
        try:
            problems = list(check(self.headers, body)) if check else [f"nobody is at {self.path}"]
        except Exception as error:
            problems = [repr(error)]
        is_held = HELD_BACK != "-" and key.startswith(HELD_BACK) and not HELD.is_set()
        tell({
            "at": self.path,
            "key": key,
            "is_held": is_held,
            "headers": dict(self.headers),
            "body": json.loads(body),
            "problems": problems,
        })
        if is_held:
            # Whoever sent it is killed before there is an answer.
            HELD.set()
            time.sleep(LIFETIME_SECONDS)
            return
        self.send_response(202 if check else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Mail:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        problems = [f"{defect!r}" for part in message.walk() for defect in part.defects]
        if message.get_content_type() != "multipart/alternative":
            problems.append(message.get_content_type())
        if any(len(line) > 998 for line in envelope.content.split(b"\r\n")):
            problems.append("a line longer than RFC 5322 allows")
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        tell({
            "at": "mail",
            "key": message["Message-ID"],
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in message.items()},
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
            "problems": problems,
        })
        return "250 OK"


class AnyPort(Controller):
    """A server on a free port: the controller itself asks port 0 whether somebody is there."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def main():
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, daemon=True).start()
    mail = AnyPort(Mail(), hostname="127.0.0.1", port=0)
    mail.start()
    print(http.server_port, mail.port, flush=True)
    end = threading.Timer(LIFETIME_SECONDS, os._exit, [1])
    end.daemon = True
    end.start()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
