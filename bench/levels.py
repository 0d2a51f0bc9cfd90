#!/usr/bin/env python3
"""levels.py PART: what Python's standard library does where quarq's four levels do, as one JSON object of figures.

PART is coroutines, memory, threads, speed_up, processes or queues. quarq-bench levels runs it beside its own; both sides do
the same work the same number of times. Pools are warm before anything is timed, and each call is in the style that
Python's documentation shows for it."""
import asyncio
import concurrent.futures
import json
import multiprocessing
import os
import sys
import time

CORES = os.cpu_count()
MICROSECONDS = 1e6


def percentiles(times):
    times.sort()
    return times[len(times) // 2] * MICROSECONDS, times[len(times) * 99 // 100] * MICROSECONDS


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def identity(x):
    return x


def look_at(data):
    """One byte of each page, so that what was sent has to be there."""
    return sum(data[::4096])


def sum_of(first, last):
    total = 0
    for n in range(first, last):
        total += n & 7
    return total


# ---- coroutines


async def yield_once():
    await asyncio.sleep(0)


async def gather_many(count):
    start = time.perf_counter()
    await asyncio.gather(*(yield_once() for _ in range(count)))
    return time.perf_counter() - start


def coroutines():
    asyncio.run(gather_many(1000))
    return {"gather_ms": asyncio.run(gather_many(100_000)) * 1e3}


async def memory_of_waiting(count):
    before = resident_bytes()
    waiting = asyncio.gather(*(asyncio.sleep(3600) for _ in range(count)))
    await asyncio.sleep(0.01)  # all of them have begun to wait
    per_coroutine = (resident_bytes() - before) / count
    waiting.cancel()
    try:
        await waiting
    except asyncio.CancelledError:
        pass
    return per_coroutine


def memory():
    return {"bytes_per_coroutine": asyncio.run(memory_of_waiting(100_000))}


# ---- threads


async def calls_on_threads(pool, count):
    loop = asyncio.get_running_loop()
    times = []
    for _ in range(count + count // 10):
        start = time.perf_counter()
        await loop.run_in_executor(pool, identity, 7)
        times.append(time.perf_counter() - start)
    return times[count // 10:]


def threads():
    tasks = 50_000
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        list(pool.map(identity, range(100)))
        start = time.perf_counter()
        for _ in range(tasks):
            last = pool.submit(identity, 7)
        last.result()
        rate = tasks / (time.perf_counter() - start)
        p50, p99 = percentiles(asyncio.run(calls_on_threads(pool, 3000)))
    return {"tasks_per_s": rate, "call_p50_us": p50, "call_p99_us": p99}


def speed_up():
    numbers = 6_000_000
    edges = [numbers * i // CORES for i in range(CORES + 1)]
    start = time.perf_counter()
    expected = sum_of(0, numbers)
    alone = time.perf_counter() - start
    took = {}
    for name, kind in (("threads", concurrent.futures.ThreadPoolExecutor),
                       ("processes", concurrent.futures.ProcessPoolExecutor)):
        with kind(CORES) as pool:
            list(pool.map(identity, range(100)))
            start = time.perf_counter()
            total = sum(pool.map(sum_of, edges[:-1], edges[1:]))
            took[name] = time.perf_counter() - start
        assert total == expected
    return {"threads": alone / took["threads"], "processes": alone / took["processes"]}


# ---- processes


def processes():
    with concurrent.futures.ProcessPoolExecutor(CORES) as pool:
        list(pool.map(identity, range(100)))
        times = []
        for _ in range(2000):
            start = time.perf_counter()
            pool.submit(identity, 7).result()
            times.append(time.perf_counter() - start)
        p50, p99 = percentiles(times)
        data = bytes(8_000_000)
        pool.submit(look_at, data).result()
        times = []
        for _ in range(15):
            start = time.perf_counter()
            pool.submit(look_at, data).result()
            times.append(time.perf_counter() - start)
    return {"call_p50_us": p50, "call_p99_us": p99, "argument_gb_per_s": len(data) / sorted(times)[len(times) // 2] / 1e9}


def consume(queue):
    while queue.get() is not None:
        queue.task_done()
    queue.task_done()


def queues():
    items = 30_000
    queue = multiprocessing.JoinableQueue()
    consumer = multiprocessing.Process(target=consume, args=(queue,))
    consumer.start()
    queue.put(7)
    queue.join()
    start = time.perf_counter()
    for n in range(items):
        queue.put(n)
    queue.join()
    rate = items / (time.perf_counter() - start)
    queue.put(None)
    consumer.join()
    return {"items_per_s": rate}


PARTS = {part.__name__: part for part in (coroutines, memory, threads, speed_up, processes, queues)}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
        raise SystemExit(__doc__)
    print(json.dumps({"python": sys.version.split()[0], **PARTS[sys.argv[1]]()}))
