"""Keeps 64 GETs in flight by aiohttp; prints how many were answered, and the CPU seconds that this took."""

import asyncio
import sys
import time

import aiohttp

IN_FLIGHT = 64


async def ask(session, url, until):
    answered = 0
    while time.monotonic() < until:
        async with session.get(url) as answer:
            await answer.read()
            assert answer.status == 200
        answered += 1
    return answered


async def main(port, seconds):
    until = time.monotonic() + seconds
    url = f"http://127.0.0.1:{port}/users/7"
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:
        counts = await asyncio.gather(*(ask(session, url, until) for _ in range(IN_FLIGHT)))
    print(sum(counts), time.process_time())


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
