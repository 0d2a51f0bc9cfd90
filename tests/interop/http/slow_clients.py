"""slowhttptest's attacks on our server, while others use it.

    slow_clients.py PROGRAMS [CONNECTIONS SECONDS LIMIT [ATTACK...]]

CONNECTIONS attackers (200) are there for SECONDS (10) each time. LIMIT (2000) is the server's header_timeout,
body_timeout and write_timeout in ms; 0 leaves the documented defaults. Meanwhile another client must get each of its
answers, the server's memory must stay within what the connections may cost, and when the limit has passed, the
attackers' connections must be closed although they would go on.
"""

import pathlib
import statistics
import sys
import threading
import time

import lab
from lab import check

# Bytes that a connection may cost: its coroutines, and buffers for a header at its limit and for what it is sent.
PER_CONNECTION = 64 * 1024
ATTACKS = {
    "slow headers": ["-H", "-i", "1"],
    "slow bodies": ["-B", "-i", "1", "-s", "8192"],
    "many ranges": ["-R", "-a", "1", "-b", "3000"],
    "slow reading": ["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "1"],
}
PATHS = {"slow bodies": "/digest", "many ranges": "/files/letters", "slow reading": "/letters/5000000"}


class Visitor(threading.Thread):
    """Somebody who wants an answer twenty times a second, over new connections and over an old one."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._port = port
        self._ended = threading.Event()
        self.times = []
        self.errors = []

    def _ask(self, client):
        begin = time.monotonic()
        client.send(b"GET /canary/7 HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.answer(lab.DEFAULT_TIMEOUT)
        if answer is None or answer[:2] != (200, b"7"):
            self.errors.append(str(answer))
        self.times.append(time.monotonic() - begin)

    def run(self):
        kept = lab.Raw(self._port)
        while not self._ended.wait(0.05):
            try:
                fresh = lab.Raw(self._port)
                self._ask(fresh)
                fresh.close()
                self._ask(kept)
            except OSError as error:
                self.errors.append(str(error))

    def end(self):
        self._ended.set()
        self.join()


def attack(name, site, count, seconds, per_connection):
    before = site.memory()
    idle = site.descriptors()
    visitor = Visitor(site.port)
    visitor.start()
    attacker = lab.start([lab.need("slowhttptest"), "-c", count, "-r", count, "-l", seconds, "-p", 5, "-u",
                          f"http://127.0.0.1:{site.port}{PATHS.get(name, '/')}", *ATTACKS[name]])
    most = most_open = 0
    closed = None
    begin = time.monotonic()
    while attacker.poll() is None:
        most = max(most, site.memory() - before)
        there = site.descriptors() - idle
        most_open = max(most_open, there)
        # Beside the attackers there is the visitor.
        if closed is None and most_open > count // 2 and there <= 5:
            closed = time.monotonic() - begin
        time.sleep(0.02)
    ended = time.monotonic() - begin
    # They also end when the last of their connections was closed.
    closed = closed or (ended if ended < seconds - 1 else None)
    visitor.end()
    times = sorted(visitor.times)
    print(f"{name}: at most {most_open} connections, {most // 1024} KiB more, "
          + (f"closed after {closed:.1f} s" if closed else f"not closed by the server within {ended:.1f} s")
          + f"; {len(times)} others: median {statistics.median(times) * 1000:.1f} ms, "
          f"99 % within {times[len(times) * 99 // 100] * 1000:.1f} ms, {len(visitor.errors)} errors", flush=True)
    check(not visitor.errors, f"{name}: others were not answered: {visitor.errors[:3]}")
    check(most <= count * per_connection + (4 << 20), f"{name}: {most} bytes more")
    check(name == "many ranges" or most_open > count // 5, f"{name}: only {most_open} connections came")
    # A client that reads slowly, but reads, may do so. Many ranges are refused at once.
    if name in ("slow headers", "slow bodies"):
        check(closed is not None, f"{name}: connections were still there after {ended:.1f} s")
    lab.eventually(lambda: site.descriptors() <= idle + 2, f"the end of the connections of {name}")


def main():
    programs = pathlib.Path(sys.argv[1])
    count, seconds, limit = map(int, sys.argv[2:5]) if len(sys.argv) > 2 else (200, 10, 2000)
    chosen = sys.argv[5:] or ATTACKS
    lab.need("slowhttptest")
    folder = lab.temporary_folder()
    (folder / "letters").write_bytes(b"abcdefghij" * 100_000)
    limits = {name: limit for name in ("header_timeout", "body_timeout", "write_timeout")} if limit else {}
    site = lab.Site(programs, files=folder, **limits)
    # What is there once is there for good: the first thread, the first connection, the allocator's pools.
    visitor = Visitor(site.port)
    visitor.start()
    lab.eventually(lambda: len(visitor.times) > 10, "the first answers")
    visitor.end()
    # Sanitizers keep what was freed for a while.
    is_sanitized = any(part in ("asan", "asan-gcc", "tsan") for part in programs.resolve().parts)
    for name in chosen:
        attack(name, site, count, seconds, PER_CONNECTION * (8 if is_sanitized else 1))
    check(site.process.poll() is None, "the server has ended")
    lab.finish()


main()
