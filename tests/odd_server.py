"""A small DICOMweb server on loopback that misbehaves as told, where a real one cannot be made to."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import Server, open_server
from scarnet_cli.pacs.transport import Patience

LOGIN = {"SCARNET_PACS_USER": "reader", "SCARNET_PACS_PASSWORD": "open-sesame-4711"}
# What the header says for this login; only the server it is meant for may see it.
BASIC = "Basic cmVhZGVyOm9wZW4tc2VzYW1lLTQ3MTE="
HASTY = Patience(attempts=3, first_wait_s=0.01, longest_wait_s=0.05, connect_s=5, silence_s=5, answer_s=5)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and how it is sent: whole, cut, cut in a chunk, open (its length is not said), drip (byte by byte)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: str = "whole"


@dataclass(slots=True)
class OddServer:
    """The server, with what it was asked: paths with their queries, and Authorization headers."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)

    def address(self, query: str = "") -> str:
        return f"dicomweb+http://127.0.0.1:{self.port}/dicom-web{query}"

    def open(self, query: str = "", patience: Patience = HASTY) -> Server:
        return open_server(parse_address(self.address(query)), patience, LOGIN)


def dicom_json(content: object, status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "application/dicom+json"}, json.dumps(content).encode())


def multipart(part: bytes, *, closed: bool = True, how: str = "whole") -> Reply:
    head = b"--xyz\r\nContent-Type: application/dicom\r\n\r\n"
    body = head + part + (b"\r\n--xyz--\r\n" if closed else b"")
    return Reply(200, {"Content-Type": 'multipart/related; type="application/dicom"; boundary=xyz'}, body, how)


def listed(uid: str, instances: int | None = 1, series: int | None = 1) -> dict[str, Any]:
    counts = {"00201208": instances, "00201206": series}
    return {
        "0020000D": {"vr": "UI", "Value": [uid]},
        **{tag: {"vr": "IS", "Value": [count]} for tag, count in counts.items() if count is not None},
    }


@contextmanager
def odd_server(answer: Callable[[str, int], Reply]) -> Iterator[OddServer]:
    """Serve `answer(path with query, number of this request from 1)` until the end of the block."""
    server = OddServer()
    over = threading.Event()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/dicom-web") + (f"?{parts.query}" if parts.query else "")
            with lock:
                server.asked.append(path)
                server.logins.append(self.headers.get("Authorization"))
                number = len(server.asked)
            _send(self, answer(path, number), over)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = False
        server.port = http.server_address[1]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            over.set()
            http.shutdown()
            thread.join()


def _send(handler: BaseHTTPRequestHandler, reply: Reply, over: threading.Event) -> None:
    handler.close_connection = True
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if reply.how == "cut in a chunk":
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(f"{len(reply.body):x}\r\n".encode() + reply.body[: len(reply.body) // 2])
        return
    if reply.how != "open":
        handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    if reply.how == "drip":
        for byte in reply.body:
            if over.wait(0.02):
                return
            try:
                handler.wfile.write(bytes([byte]))
            except OSError:  # whoever asked has gone
                return
        return
    handler.wfile.write(reply.body[: len(reply.body) // 2] if reply.how == "cut" else reply.body)
