#!/usr/bin/env python3
"""measure.py [--jobs N] [--browsers N] [--seconds N] [--json]: `quarq dashboard` at a Redis with a million jobs.

How long the server takes for what each page asks for; what open browsers (their streams of events) cost a worker, the server
and the dashboard, in alternating turns with and without them; and the dashboard's memory at the end, while jobs have come and
gone all the time. ./dev bench dashboard builds what it needs."""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))
# pylint: disable=wrong-import-position
import decide
import flags
import ledger
import processes
import servers

PROGRAMS = HERE.parent.parent / "build/release/bin"
BATCH = 100_000  # jobs of a turn
QUERIES = {
    "overview": ["overview", "stats"],
    "queues": ["overview"],
    "jobs": ["jobs?queue=bench&state=queued"],
    "jobs, filtered": ["jobs?queue=bench&state=queued&text=0000999"],
    "count": ["count?queue=bench&state=queued"],
    "errors": ["errors?queue=bench"],
    "workers": ["workers"],
    "cron jobs": ["crons"],
    "changes": ["audit"],
}


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=flags.at_least(1), default=1_000_000, help="that are there")
    parser.add_argument("--browsers", type=flags.at_least(1), default=10)
    parser.add_argument("--seconds", type=flags.at_least(1), default=60, help="of turns, with and without browsers")
    parser.add_argument("--asks", type=flags.at_least(1), default=50, help="for each page")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(words)


class Site:
    """A running dashboard."""

    def __init__(self, url, cpus, log):
        self.port = servers.free_port()
        self.process = processes.Process([PROGRAMS / "quarq", "dashboard", "--broker", url, "--listen", f"127.0.0.1:{self.port}"],
                                         cpus, log)
        servers.wait_for("the dashboard", lambda: servers.listens(self.port))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, what):
        """How long it takes, ms."""
        start = time.perf_counter()
        self.connection.request("GET", f"/api/{what}")
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - start) * 1e3
        if answer.status != 200:
            raise RuntimeError(f"{what}: {answer.status} {body[:200]!r}")
        return took, json.loads(body)


@contextlib.contextmanager
def open_browsers(site, count):
    """Each reads the stream of events of a page that is looked at."""
    streams, readers = [], []
    for _ in range(count):
        one = http.client.HTTPConnection("127.0.0.1", site.port)
        one.request("GET", "/api/events")
        answer = one.getresponse()
        streams.append((one, one.sock))
        readers.append(threading.Thread(target=read_all, args=(answer,)))
        readers[-1].start()
    try:
        yield
    finally:
        for one, sock in streams:
            with contextlib.suppress(OSError):
                sock.shutdown(2)
            one.close()
        for reader in readers:
            reader.join()


def read_all(answer):
    with contextlib.suppress(OSError, http.client.HTTPException, AttributeError, ValueError):
        while answer.readline():
            pass


class Load:
    """Jobs that come and go in a queue of their own, by a worker and a client."""

    def __init__(self, server, cpus, folder, memory, room):
        self.server, self.cpus, self.folder = server, cpus, folder
        self.ledger = ledger.Ledger(memory, room)
        self.env = {"BENCH_URL": server.url, "BENCH_CONFIG": "fast", "BENCH_LEDGER": memory}
        self.used = 0

    def driver(self, *words, capture=False):
        return processes.Process([PROGRAMS / "quarq-bench", "peer", *words], self.cpus, f"{self.folder}/load.log", self.env,
                                 capture=capture)

    def fill(self, count):
        self.driver("fill", "noop", "bulk", self.used, count, capture=True).answer(600)
        self.used += count

    def turn(self):
        """Has a worker run a batch of jobs; of the last nine tenths: how many a second, and the worker's processor time for
        each, us."""
        self.fill(BATCH)
        first, worker = self.ledger.done(0, self.used), self.driver("work")
        try:
            start = self._until_done(first + BATCH // 10)
            early, cpu = self.ledger.done(0, self.used), processes.cpu_seconds(worker.pid)
            end = self._until_done(first + BATCH)
            ran = self.ledger.done(0, self.used) - early
            return ran / (end - start), (processes.cpu_seconds(worker.pid) - cpu) / ran * 1e6
        finally:
            worker.stop()

    def _until_done(self, count):
        servers.wait_for(f"{count} jobs", lambda: self.ledger.done(0, self.used) >= count, 300)
        return time.monotonic()


def time_pages(site, asks):
    figures = {}
    for page, queries in QUERIES.items():
        times = sorted(sum(site.ask(query)[0] for query in queries) for _ in range(asks))
        figures[page] = {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)], "longest": times[-1]}
    return figures


def with_and_without(site, load, given):
    """The rates and costs of turns, each kind's medians."""
    turns = {0: [], given.browsers: []}
    used = {count: [0.0, 0.0, 0.0] for count in turns}  # seconds; processor time of dashboard and server
    end = time.monotonic() + given.seconds
    while time.monotonic() < end or not turns[given.browsers]:
        for count in turns:
            with open_browsers(site, count):
                before = time.monotonic(), processes.cpu_seconds(site.process.pid), load.server.cpu_seconds()
                turns[count].append(load.turn())
                after = time.monotonic(), processes.cpu_seconds(site.process.pid), load.server.cpu_seconds()
            used[count] = [total + late - early for total, early, late in zip(used[count], before, after)]
    return {count: {"jobs/s": decide.median([rate for rate, _ in turns[count]]),
                    "worker CPU, us a job": decide.median([cpu for _, cpu in turns[count]]),
                    "dashboard CPU, %": 100 * used[count][1] / used[count][0],
                    "server CPU, %": 100 * used[count][2] / used[count][0]} for count in turns}


def measure(given):
    cpus = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="quarq-bench-") as folder, ledger.monotonic_folder() as memory:
        server = servers.Redis(cpus)
        try:
            room = given.jobs + 300 * BATCH
            load = Load(server, cpus, folder, memory, room)
            load.fill(given.jobs)
            site = Site(server.url, cpus, f"{folder}/dashboard.log")
            figures = {"pages, ms": time_pages(site, given.asks)}
            figures["browsers"] = with_and_without(site, load, given)
            worker = load.driver("work")
            figures["pages beside a worker, ms"] = time_pages(site, given.asks)
            worker.stop()
            figures["memory of the dashboard, MB"] = processes.memory_mb(site.process.pid)
            site.process.stop()
            load.ledger.close()
        finally:
            server.stop()
            processes.reap_orphans()
    return figures


def show(figures):
    for title in ("pages, ms", "pages beside a worker, ms"):
        print(f"\n{title:26} {'p50':>8} {'p95':>8} {'longest':>8}")
        for page, times in figures[title].items():
            print(f"  {page:24} {times['p50']:8.1f} {times['p95']:8.1f} {times['longest']:8.1f}")
    print()
    for count, found in figures["browsers"].items():
        print(f"{count:3} browsers: " + "; ".join(f"{what} {value:,.1f}" for what, value in found.items()))
    print(f"memory of the dashboard: {figures['memory of the dashboard, MB']:.1f} MB")


def main(words):
    given = arguments(words)
    processes.adopt_orphans()
    figures = measure(given)
    if given.json:
        print(json.dumps(figures, indent=1))
    else:
        show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
