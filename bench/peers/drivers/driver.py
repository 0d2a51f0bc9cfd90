"""What the drivers of Python's peers share. A driver is called as

    fill TASK MODE FIRST COUNT   enqueues jobs FIRST .. FIRST+COUNT-1 of TASK (noop, hold), in MODE (one, in_flight,
                                 bulk); prints {"jobs", "seconds"} of all but the first tenth, which warms up
    pace FIRST COUNT RATE        enqueues so many a second, whether or not earlier ones are done; prints {"sent": [ns]}
    ask FIRST MOST SECONDS       enqueues a job and waits for its result, one after another; prints {"us": [...]}
    work                         runs jobs until SIGTERM

with BENCH_URL, BENCH_CONFIG (fast or defaults) and BENCH_LEDGER in its environment. A job's argument is 120 bytes that
begin with its number; its handler calls ran(), which writes the execution into the ledger (../ledger.py)."""
import asyncio
import concurrent.futures
import inspect
import json
import mmap
import os
import struct
import sys
import time

URL = os.environ.get("BENCH_URL", "")
FAST = os.environ.get("BENCH_CONFIG", "fast") == "fast"
IN_FLIGHT, BULK = 50, 1000
HOLD_SECONDS = 300

_files = {}


def text_of(number):
    return f"{number:010d}".ljust(120, "x")


def _file(name):
    if name not in _files:
        with open(os.path.join(os.environ["BENCH_LEDGER"], name), "r+b") as file:
            _files[name] = mmap.mmap(file.fileno(), 0)
    return _files[name]


def ran(text):
    number = int(text[:10])
    counts = _file("counts")
    counts[number] = min(255, counts[number] + 1)
    struct.pack_into("<Q", _file("starts"), 8 * number, time.monotonic_ns())


def hold():
    """A handler's, in peers whose handlers are plain functions."""
    time.sleep(HOLD_SECONDS)


def become(*command):
    """Ends this process by becoming the peer's own worker program, with this folder on its path."""
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))
    os.execv(sys.executable, [sys.executable, *map(str, command)])


def become_module(*command):
    become("-m", *command)


class _Caller:
    """One face for peers with plain functions and with coroutines."""

    def __init__(self, peer):
        self.peer = peer
        self.awaits = inspect.iscoroutinefunction(peer.enqueue)

    async def open(self):
        if hasattr(self.peer, "open"):
            opened = self.peer.open()
            if inspect.isawaitable(opened):
                await opened

    async def close(self):
        if hasattr(self.peer, "close"):
            closed = self.peer.close()
            if inspect.isawaitable(closed):
                await closed

    async def one(self, task, numbers):
        for n in numbers:
            sent = self.peer.enqueue(task, text_of(n))
            if self.awaits:
                await sent

    async def in_flight(self, task, numbers):
        if self.awaits:
            rest = iter(numbers)
            await asyncio.gather(*(self.one(task, rest) for _ in range(IN_FLIGHT)))
        else:
            with concurrent.futures.ThreadPoolExecutor(IN_FLIGHT) as pool:
                list(pool.map(lambda n: self.peer.enqueue(task, text_of(n)), numbers))

    async def bulk(self, task, numbers):
        for at in range(0, len(numbers), BULK):
            sent = self.peer.enqueue_many(task, [text_of(n) for n in numbers[at:at + BULK]])
            if inspect.isawaitable(sent):
                await sent


async def _fill(peer, task, mode, first, count):
    caller = _Caller(peer)
    await caller.open()
    warm = max(1, min(count // 10, BULK)) if count > 1 else 0
    send = getattr(caller, mode)
    await send(task, range(first, first + warm))
    start = time.perf_counter()
    await send(task, range(first + warm, first + count))
    took = time.perf_counter() - start
    await caller.close()
    return {"jobs": count - warm, "seconds": took}


async def _pace(peer, first, count, rate):
    caller = _Caller(peer)
    await caller.open()
    sent, under_way = [], []
    pool = None if caller.awaits else concurrent.futures.ThreadPoolExecutor(IN_FLIGHT)
    start = time.monotonic_ns()
    for n in range(count):
        due = start + int(n * 1e9 / rate)
        while (left := due - time.monotonic_ns()) > 0:
            await asyncio.sleep(left / 1e9)
        sent.append(time.monotonic_ns())
        if caller.awaits:
            under_way.append(asyncio.create_task(peer.enqueue("noop", text_of(first + n))))
        else:
            under_way.append(pool.submit(peer.enqueue, "noop", text_of(first + n)))
        if n % 100 == 99:
            await asyncio.sleep(0)
    for each in under_way:
        if caller.awaits:
            await each
        else:
            each.result()
    await caller.close()
    return {"sent": sent}


async def _ask(peer, first, most, seconds):
    caller = _Caller(peer)
    await caller.open()
    times, end = [], time.perf_counter() + seconds
    for n in range(most):
        start = time.perf_counter()
        if start > end:
            break
        asked = peer.ask(text_of(first + n))
        if inspect.isawaitable(asked):
            await asked
        times.append((time.perf_counter() - start) * 1e6)
    await caller.close()
    return {"us": times}


def main(peer):
    command, rest = sys.argv[1], sys.argv[2:]
    if command == "work":
        peer.work()
    elif command == "fill":
        print(json.dumps(asyncio.run(_fill(peer, rest[0], rest[1], int(rest[2]), int(rest[3])))))
    elif command == "pace":
        print(json.dumps(asyncio.run(_pace(peer, int(rest[0]), int(rest[1]), float(rest[2])))))
    elif command == "ask":
        print(json.dumps(asyncio.run(_ask(peer, int(rest[0]), int(rest[1]), float(rest[2])))))
    else:
        raise SystemExit(__doc__)
