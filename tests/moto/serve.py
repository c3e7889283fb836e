"""Serves moto on a free port of 127.0.0.1, in the protocols that current AWS SDKs speak.

The first line of standard output is the port. The server ends when its standard input ends, and at
the latest after `LIFETIME_SECONDS`, so that a test that dies leaves nothing running.

Between the socket and moto stands `Translation`. It changes three things and leaves the rest, the
content above all, to moto:

- CloudWatch requests in smithy-rpc-v2-cbor, which moto 5.2 does not speak, are passed on in JSON, a
  protocol of the same service that moto does speak; the answer goes back in CBOR. Its types come
  from AWS's model of the service, as botocore carries it.
- GetTrailStatus tells when CloudTrail last delivered to CloudWatch Logs. moto knows the delivery to
  S3 only (LatestDeliveryTime); the same time is answered for both. A real trail without a log group
  has no such time, but then nobody asks for it.
- ListAlarmMuteRules, which moto does not know, finds no rule.
"""

import base64
import datetime
import io
import json
import logging
import os
import sys
import threading

try:
    import botocore.parsers
    import botocore.session
    import cbor2
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server
    from werkzeug.wrappers import Request, Response
except ImportError as error:
    sys.exit(f"{error}: run `cargo xtask test`, which installs tests/moto/requirements.txt")

LIFETIME_SECONDS = 300

CBOR = "application/cbor"
JSON = "application/x-amz-json-1.0"


class Translation:
    """A WSGI application around moto's."""

    def __init__(self, moto):
        self.moto = moto
        self.cloudwatch = botocore.session.get_session().get_service_model("cloudwatch")
        self.json_parser = botocore.parsers.create_parser("json")

    def __call__(self, environ, start_response):
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
            respond = self.cbor(environ)
        elif target.endswith("CloudTrail_20131101.GetTrailStatus"):
            respond = self.trail_status(environ)
        else:
            respond = self.moto
        return respond(environ, start_response)

    def cbor(self, environ):
        request = Request(environ)
        # /service/<target prefix>/operation/<operation>
        _, service, _, operation = request.path.strip("/").split("/")
        if operation == "ListAlarmMuteRules":
            headers = {"smithy-protocol": "rpc-v2-cbor"}
            body = cbor2.dumps({"AlarmMuteRuleSummaries": []})
            return Response(body, 200, headers, content_type=CBOR)
        model = self.cloudwatch.operation_model(operation)
        parameters = cbor2.loads(request.get_data() or cbor2.dumps({}))
        passed_on = dict(environ)
        for header in ("HTTP_SMITHY_PROTOCOL", "HTTP_ACCEPT"):
            passed_on.pop(header, None)
        passed_on |= {"PATH_INFO": "/", "RAW_URI": "/", "REQUEST_URI": "/"}
        passed_on |= {"CONTENT_TYPE": JSON, "HTTP_X_AMZ_TARGET": f"{service}.{operation}"}
        answer = self.ask_moto(passed_on, json.dumps(parameters, default=in_json).encode())

        shape = model.output_shape
        parsed = self.json_parser.parse(
            {
                "status_code": answer.status_code,
                "headers": dict(answer.headers),
                "body": answer.get_data() or b"{}",
            },
            shape,
        )
        headers = {
            "smithy-protocol": "rpc-v2-cbor",
            "x-amzn-requestid": answer.headers.get("x-amzn-requestid", ""),
        }
        if answer.status_code >= 300:
            code, message = parsed["Error"]["Code"], parsed["Error"]["Message"]
            fault = "Sender" if answer.status_code < 500 else "Receiver"
            headers["x-amzn-query-error"] = f"{code};{fault}"
            body = {"__type": f"com.amazonaws.cloudwatch#{code}", "message": message}
        else:
            body = typed(shape, parsed) if shape else {}
        return Response(cbor2.dumps(body), answer.status_code, headers, content_type=CBOR)

    def trail_status(self, environ):
        answer = self.ask_moto(environ, Request(environ).get_data())
        if answer.status_code == 200:
            status = json.loads(answer.get_data())
            if "LatestDeliveryTime" in status:
                status["LatestCloudWatchLogsDeliveryTime"] = status["LatestDeliveryTime"]
                answer.set_data(json.dumps(status))
        return answer

    def ask_moto(self, environ, body):
        with_body = environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return Response.from_app(self.moto, with_body, buffered=True)


def in_json(value):
    """What CBOR has and JSON does not, as the JSON protocol writes it."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value))


def typed(shape, value):
    """The value in the types of AWS's model: JSON's numbers are integers or doubles by chance."""
    match shape.type_name:
        case "structure":
            members = shape.members.items()
            return {name: typed(member, value[name]) for name, member in members if name in value}
        case "list":
            return [typed(shape.member, item) for item in value]
        case "map":
            return {key: typed(shape.value, item) for key, item in value.items()}
        case "float" | "double":
            return float(value)
        case "timestamp":
            return cbor2.CBORTag(1, value.timestamp())
        case _:
            return value


def main():
    # Requests are not worth a line each; what goes wrong is.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, Translation(moto), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    # Nobody reads on.
    sys.stdout = sys.stderr

    end = threading.Timer(LIFETIME_SECONDS, os._exit, [1])
    end.daemon = True
    end.start()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
