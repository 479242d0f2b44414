"""A proxy to a server on this machine that holds each request back for a while and counts requests and bytes."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class SlowProxy:
    """A running proxy.

    Attributes:
        endpoint: Its host and port.
        asked: Requests that it passed on so far.
        sent: Bytes of answers that it passed back so far.
    """

    endpoint: str
    asked: "Synchronized[int]"
    sent: "Synchronized[int]"


@contextmanager
def slow_proxy(server: str, latency_s: float) -> Iterator[SlowProxy]:
    """Run a proxy to `server` (host:port) in a process of its own, which the measured one does not wait for."""
    asked, sent, port = (multiprocessing.Value("q", 0) for _ in range(3))
    process = multiprocessing.Process(target=_run, args=(server, latency_s, (asked, sent, port)), daemon=True)
    process.start()
    while not port.value:
        process.join(0.05)
    try:
        yield SlowProxy(f"127.0.0.1:{port.value}", asked, sent)
    finally:
        process.kill()
        process.join()


def _run(server: str, latency_s: float, shared: "tuple[Synchronized[int], ...]") -> None:
    asyncio.run(_serve(server, latency_s, *shared))


async def _serve(
    server: str, latency_s: float, asked: "Synchronized[int]", sent: "Synchronized[int]", port: "Synchronized[int]"
) -> None:
    host, _, number = server.partition(":")

    async def forward(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        reader, writer = await asyncio.open_connection(host, int(number))
        await asyncio.gather(_pump(client, writer, asked, latency_s), _pump(reader, answer, sent))

    listener = await asyncio.start_server(forward, "127.0.0.1", 0)
    port.value = listener.sockets[0].getsockname()[1]
    await listener.serve_forever()


async def _pump(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    count: "Synchronized[int]",
    latency_s: float | None = None,
) -> None:
    """Pass bytes on, counting them; with a latency, count pieces instead, which are requests, and hold each back."""
    with suppress(ConnectionError):
        while piece := await source.read(_PIECE):
            count.value += len(piece) if latency_s is None else 1
            if latency_s:
                await asyncio.sleep(latency_s)
            target.write(piece)
            await target.drain()
    target.close()
