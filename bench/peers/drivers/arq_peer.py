"""python-arq. Fast: 100 jobs at once and a look every 10 ms (it polls), nothing kept of noop."""
import asyncio

import driver
from arq import Worker, create_pool, func
from arq.connections import RedisSettings

SETTINGS = RedisSettings.from_dsn(driver.URL or "redis://127.0.0.1")


async def noop(_ctx, text):
    driver.ran(text)


async def ask(_ctx, text):
    driver.ran(text)
    return len(text)


async def hold(_ctx, text):
    driver.ran(text)
    await asyncio.sleep(driver.HOLD_SECONDS)


class Peer:
    async def open(self):
        self.pool = await create_pool(SETTINGS)

    async def close(self):
        await self.pool.aclose()

    async def enqueue(self, task, text):
        await self.pool.enqueue_job(task, text)

    async def ask(self, text):
        job = await self.pool.enqueue_job("ask", text)
        await job.result(timeout=30, poll_delay=0.01 if driver.FAST else 0.5)

    def work(self):
        kept = {"keep_result": 0} if driver.FAST else {}
        options = {"max_jobs": 100, "poll_delay": 0.01} if driver.FAST else {}
        Worker([func(noop, **kept), ask, hold], redis_settings=SETTINGS, **options).run()


if __name__ == "__main__":
    driver.main(Peer())
