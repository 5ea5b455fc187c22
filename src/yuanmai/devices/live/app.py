"""The small ASGI program behind `yuanmai live`: one poll of the database for all, one stream of events for each."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import close_old_connections

from yuanmai.devices.live.feed import Changes, Cursor, changes
from yuanmai.devices.live.listeners import Listener, listener_of, session_key
from yuanmai.devices.live.topics import Event, Topics, joined

logger = logging.getLogger(__name__)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

POLL_EVERY = 0.35  # seconds
BEAT_EVERY = 15.0  # seconds between signs of life; also how often it is asked whether the listener still may
STALLED_AFTER = 20.0  # seconds that one event may take to leave
MOST_LISTENERS = 2000
MOST_PER_USER = 20
MOST_WAITING = 300  # events of one listener not sent yet


class Stream:
    """One listener's stream. `waiting` is bounded: who cannot keep up is told to look at everything again."""

    def __init__(self, listener: Listener, topics: Topics) -> None:
        self.listener, self.topics = listener, topics
        self.waiting: list[tuple[str, Event | None]] = []  # None: reset
        self.told: frozenset[tuple[str, int, int]] = (
            frozenset()
        )  # what it caught up with: kind, revision, device
        self.ready = asyncio.Event()

    def offer(self, found: Changes) -> None:
        """Put in line what this listener wants and may hear."""
        mark = str(found.cursor)
        # The look that was under way when the listener came may find once more what it caught up with; no later one does.
        told, self.told = self.told, frozenset()
        if found.reset:
            self.waiting = [(mark, None)]
        else:
            mine = [
                (mark, e)
                for e in found.events
                if e.org in self.listener.orgs
                and self.topics.want(e)
                and (e.kind, e.revision, e.device) not in told
            ]
            if not mine:
                return
            self.waiting += mine
            if len(self.waiting) > MOST_WAITING:
                self.waiting = [(mark, None)]
        self.ready.set()


class Live:
    """All streams of this process."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.cursor: Cursor | None = None
        self.loop: asyncio.Task[None] | None = None
        self.database = ThreadPoolExecutor(1, "live-database")

    async def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a question to the database in its own thread."""

        def run() -> Any:
            close_old_connections()
            return function(*arguments)

        return await asyncio.get_running_loop().run_in_executor(self.database, run)

    async def poll(self) -> None:
        """Look for changes as long as anybody listens."""
        while self.streams:
            began = time.monotonic()
            try:
                wanted = joined(stream.topics for stream in self.streams)
                if self.cursor is None:
                    self.cursor = await self.ask(Cursor.now)
                found: Changes = await self.ask(changes, self.cursor, wanted)
                self.cursor = found.cursor
                for stream in self.streams:
                    stream.offer(found)
            except Exception:
                # The database may be away for a moment; the streams stay open and go on when it is back.
                logger.exception("live: could not look for changes")
                await asyncio.sleep(2)
            await asyncio.sleep(max(0.05, POLL_EVERY - (time.monotonic() - began)))
        self.loop = None
        self.cursor = None

    async def join(self, stream: Stream, since: Cursor | None) -> None:
        """Take a stream in; tell it first what it has missed since it was connected last."""
        if since is not None:
            found: Changes = await self.ask(changes, since, stream.topics, stream.listener.orgs)
            stream.offer(found)
            stream.told = frozenset((e.kind, e.revision, e.device) for e in found.events)
        self.streams.add(stream)
        if self.loop is None:
            self.loop = asyncio.create_task(self.poll())


live = Live()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer GET /live/?topics=… with a stream of events; everything else with 404."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    if scope["path"] == "/healthz":
        await _plain(send, 200, f"{len(live.streams)} listening", [])
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    allowed = _allowed(headers)
    if scope["path"].rstrip("/") != "/live" or scope["method"] != "GET":
        await _plain(send, 404, "GET /live/?topics=devices,alarms,device:1", allowed)
        return
    if headers.get("origin") and not allowed:
        await _plain(send, 403, "foreign origin", [])
        return
    query = parse_qs(scope["query_string"].decode("latin-1"))
    try:
        topics = Topics.read(",".join(query.get("topics", [])))
    except ValueError as error:
        await _plain(send, 400, f"unknown topic: {error}", allowed)
        return
    listener = await live.ask(listener_of, session_key(headers.get("cookie", "")))
    if listener is None:
        await _plain(send, 401, "sign in", allowed)
        return
    own = sum(stream.listener.user == listener.user for stream in live.streams)
    if len(live.streams) >= MOST_LISTENERS or own >= MOST_PER_USER:
        await _plain(send, 503, "too many listeners", allowed)
        return
    since = Cursor.read(headers.get("last-event-id", "") or "".join(query.get("since", [])))
    await _stream(Stream(listener, topics), since, allowed, receive, send)


def _allowed(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return the headers that let a page of this host read the answer; empty for pages of other hosts."""
    origin = headers.get("origin", "")
    host = headers.get("host", "")
    if not origin or urlsplit(origin).hostname != urlsplit(f"//{host}").hostname:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


async def _stream(
    stream: Stream, since: Cursor | None, allowed: list[tuple[bytes, bytes]], receive: Receive, send: Send
) -> None:
    """Send events until the listener goes, may no longer listen, or does not take what is sent."""
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"cross-origin-resource-policy", b"same-site"),
        *allowed,
    ]

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    leaving = asyncio.create_task(gone())
    try:
        await live.join(stream, since)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _write(send, "retry: 3000\n: welcome\n\n")
        checked = time.monotonic()
        while not leaving.done():
            woken = asyncio.create_task(stream.ready.wait())
            await asyncio.wait({woken, leaving}, timeout=BEAT_EVERY, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            stream.ready.clear()
            if time.monotonic() - checked >= BEAT_EVERY:
                checked = time.monotonic()
                renewed = await live.ask(listener_of, stream.listener.session)
                if renewed is None:
                    await _write(send, "event: bye\ndata: {}\n\n")
                    break
                stream.listener = renewed
            waiting, stream.waiting = stream.waiting, []
            await _write(send, "".join(written(mark, event) for mark, event in waiting) or ": beat\n\n")
    except (TimeoutError, OSError):
        logger.info("live: a listener took nothing for %s s and was cut off", STALLED_AFTER)
    finally:
        live.streams.discard(stream)
        leaving.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def written(mark: str, event: Event | None) -> str:
    """Return an event as it goes over the wire."""
    if event is None:
        return f"id: {mark}\nevent: reset\ndata: {{}}\n\n"
    return f"id: {mark}\nevent: {event.kind}\ndata: {json.dumps(event.data, separators=(',', ':'))}\n\n"


async def _write(send: Send, text: str) -> None:
    await asyncio.wait_for(
        send({"type": "http.response.body", "body": text.encode(), "more_body": True}), STALLED_AFTER
    )


async def _plain(send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]]) -> None:
    start = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": text.encode()})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
