"""fleetdesk-web: the inventory over HTTP, as a page and as JSON."""

from __future__ import annotations

import argparse
import json
import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET, AF_INET6
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg2

from fleetdesk import program
from fleetdesk.desk import Desk
from fleetdesk.facts import InvalidError, facts, host_name
from fleetdesk.page import page
from fleetdesk.settings import Settings
from fleetdesk.shards import AwayError, Shard
from fleetdesk_release import VERSION, store

LARGEST_BODY = 65536

_log = logging.getLogger("fleetdesk")


class _RefusedError(Exception):
    """A request that cannot be answered as asked."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # a stop waits for the requests at hand
    request_queue_size = 128

    def __init__(self, address: str, port: int, desk: Desk) -> None:
        self.address_family = AF_INET6 if ":" in address else AF_INET
        self.desk = desk
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own asks the DNS for a name that nobody reads
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = f"fleetdesk/{VERSION}"
    sys_version = ""
    timeout = 20  # seconds for a slow client

    def do_GET(self) -> None:
        self._answer(self._get)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def _get(self, path: list[str], _query: dict[str, str]) -> None:
        desk = self.server.desk
        if path == []:
            hosts, away = desk.hosts()
            self._send(HTTPStatus.OK, page(VERSION, store.FACTS, hosts, away.values()), "text/html")
        elif path == ["health"]:
            shards = desk.health()
            healthy = all(shard["reachable"] for shard in shards.values())
            self._send_json(
                HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE,
                {"version": VERSION, "healthy": healthy, "shards": shards},
            )
        elif path == ["hosts"]:
            hosts, away = desk.hosts()
            self._send_json(HTTPStatus.OK, {"hosts": hosts, "unavailable": away})
        elif len(path) == 2 and path[0] == "hosts":
            name = host_name(path[1])
            host = desk.host(name)
            if host is None:
                raise _RefusedError(HTTPStatus.NOT_FOUND, f"there is no host {name}")
            self._send_json(HTTPStatus.OK, host)
        elif len(path) == 3 and (path[0], path[2]) == ("hosts", "history"):
            self._send_json(HTTPStatus.OK, {"history": desk.history(host_name(path[1]))})
        else:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")

    def _post(self, path: list[str], query: dict[str, str]) -> None:
        desk = self.server.desk
        if path == ["hosts"]:
            body = self._body()
            name = host_name(body.pop("name", None))
            self._send_json(HTTPStatus.OK, desk.put(name, facts(body, store.FACTS)))
        elif len(path) == 3 and (path[0], path[2]) == ("hosts", "scan"):
            name = host_name(path[1])
            job = desk.scan(name, facts(self._body(), store.FACTS), _priority(query))
            if job is None:
                raise _RefusedError(HTTPStatus.NOT_FOUND, f"there is no host {name}")
            self._send_json(HTTPStatus.ACCEPTED, {"job": job})
        else:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is no such page to post to")

    def _delete(self, path: list[str], _query: dict[str, str]) -> None:
        if len(path) != 2 or path[0] != "hosts":
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is no such thing to delete")
        name = host_name(path[1])
        if not self.server.desk.delete(name):
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"there is no host {name}")
        self._send_json(HTTPStatus.OK, {"deleted": name})

    def _answer(self, work: Any) -> None:
        """Do the work of a request; whatever goes wrong becomes one sentence and a status."""
        try:
            url = urlsplit(self.path)
            path = [unquote(part) for part in url.path.split("/") if part]
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            work(path, query)
        except InvalidError as problem:
            self._refuse(HTTPStatus.BAD_REQUEST, str(problem))
        except _RefusedError as problem:
            self._refuse(problem.status, str(problem))
        except AwayError as problem:
            _log.warning("%s", problem)
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the host's shard is not available")
        except psycopg2.Error as problem:
            _log.error("%s %s: %s", self.command, self.path, " ".join(str(problem).split()))
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "the host's shard refused a statement")
        except OSError as problem:  # the client has gone
            _log.info("%s %s: %s", self.command, self.path, problem)
            self.close_connection = True
        except Exception:  # noqa: BLE001  a thread has no caller that could still answer
            _log.exception("%s %s", self.command, self.path)
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "an error of Fleetdesk; see the log")

    def _body(self) -> dict[str, Any]:
        # A form of another site cannot send this type without asking first.
        if self.headers.get_content_type() != "application/json":
            raise _RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON, as Content-Type: application/json"
            )
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "send a Content-Length")
        if len(length) > 9 or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {LARGEST_BODY} bytes"
            )
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise InvalidError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise InvalidError("the body is not a JSON object")
        return body

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        self._send_json(status, {"error": sentence})

    def _send_json(self, status: HTTPStatus, value: Any) -> None:
        self._send(status, json.dumps(value, default=str) + "\n", "application/json")

    def _send(self, status: HTTPStatus, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *values: Any) -> None:  # noqa: A002
        # The request line may hold anything; a log line stays one line.
        line = (format % values).encode("unicode_escape").decode()
        _log.info("%s %s", self.address_string(), line)


def _priority(query: dict[str, str]) -> int:
    if set(query) - ({"priority"} if store.LARGEST_PRIORITY else set()):
        raise InvalidError(f"nothing is known of {', '.join(sorted(query))}")
    text = query.get("priority", "0")
    try:
        priority = int(text)
    except ValueError:
        raise InvalidError(f"priority: {text[:40]!r} is not a whole number") from None
    if abs(priority) > store.LARGEST_PRIORITY:
        limit = store.LARGEST_PRIORITY
        raise InvalidError(f"priority: write a whole number from -{limit} to {limit}")
    return priority


def _serve(_options: argparse.Namespace, settings: Settings, shards: dict[str, Shard]) -> int:
    try:
        server = _Server(settings.address, settings.port, Desk(shards))
    except OSError as problem:
        _log.error("cannot listen on %s port %d: %s", settings.address, settings.port, problem)
        return program.EX_UNAVAILABLE
    host, port = server.server_address[:2]
    shown = f"[{host!s}]" if ":" in str(host) else str(host)
    # shutdown() waits for the loop to end, so the handler, which interrupts it, must not call it
    program.on_stop(lambda: threading.Thread(target=server.shutdown).start())
    _log.info("version %s listens on http://%s:%d/", VERSION, shown, port)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    _log.info("stopped")
    return 0


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address") from None


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    options = program.parser("fleetdesk-web", "Serve the inventory of hosts over HTTP.")
    options.add_argument(
        "--address", type=_address, help="IP address to listen on (default: the settings')"
    )
    options.add_argument(
        "--port", type=int, help="port to listen on, 0 for a free one (default: the settings')"
    )
    return program.run("fleetdesk-web", options.parse_args(arguments), _serve)
