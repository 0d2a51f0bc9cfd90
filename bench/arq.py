#!/usr/bin/env python3
"""arq.py PART PORT COUNT: Python's side of quarq-bench arq.

fill    enqueues COUNT jobs as python-arq does, many in a write
ask     enqueues COUNT jobs one after another, looks for each result every 10 ms, and prints the percentiles as JSON
drain   a worker that does to Redis what arq's does, command by command, runs COUNT jobs at once (arq's default is 10)
        until the queue is empty; with more than 10 it looks every 10 ms instead of every 500 ms

arq itself need not be installed: this is its protocol, from the same modules as the tests'."""
import argparse
import asyncio
import json
import logging
import pathlib
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))
# pylint: disable=wrong-import-position
import arq_wire
import arq_worker
from arq_client import Client

TEXT = "x" * 120


async def measure(_ctx, text):
    return len(text)


def fill(port, count):
    client = Client(port)
    now = arq_wire.now_ms()
    payload = arq_wire.job_payload(client.dumps, "measure", (TEXT,), {}, None, now)
    for first in range(0, count, 1000):
        batch = client.redis.pipeline(transaction=False)
        for _ in range(min(1000, count - first)):
            job_id = uuid.uuid4().hex
            batch.psetex(arq_wire.JOB + job_id, arq_wire.EXPIRES_EXTRA_MS, payload)
            batch.zadd(arq_wire.DEFAULT_QUEUE, {job_id: now})
        batch.execute()


def ask(port, count):
    client = Client(port)
    times = []
    for _ in range(count):
        start = time.perf_counter()
        assert client.enqueue_job("measure", TEXT).result(timeout=30, poll_delay=0.01) == len(TEXT)
        times.append(time.perf_counter() - start)
    times.sort()
    print(json.dumps({"p50_ms": times[count // 2] * 1e3, "p99_ms": times[count * 99 // 100] * 1e3}))


def drain(port, at_once):
    logging.disable(logging.INFO)
    arq_worker.FUNCTIONS["measure"] = measure
    options = argparse.Namespace(
        port=port, codec="pickle", queue=arq_wire.DEFAULT_QUEUE, burst=True, max_jobs=at_once, max_tries=5, job_timeout=300,
        keep_result=3600, poll_delay=0.5 if at_once <= 10 else 0.01, health_check_interval=3600, allow_abort_jobs=False,
        cron=[], run_at_startup=False)
    asyncio.run(arq_worker.Worker(options).run())


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("fill", "ask", "drain"):
        raise SystemExit(__doc__)
    {"fill": fill, "ask": ask, "drain": drain}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
