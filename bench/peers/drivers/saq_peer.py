"""SAQ. Fast: 100 jobs at once in place of 10, and nothing kept of noop."""
import asyncio

import driver
from saq import Queue, Worker

KEPT = {"ttl": -1} if driver.FAST else {}


async def noop(_ctx, *, text):
    driver.ran(text)


async def ask(_ctx, *, text):
    driver.ran(text)
    return len(text)


async def hold(_ctx, *, text):
    driver.ran(text)
    await asyncio.sleep(driver.HOLD_SECONDS)


class Peer:
    async def open(self):
        self.queue = Queue.from_url(driver.URL)
        await self.queue.connect()

    async def close(self):
        await self.queue.disconnect()

    async def enqueue(self, task, text):
        await self.queue.enqueue(task, text=text, **KEPT)

    async def ask(self, text):
        await self.queue.apply("ask", text=text)

    def work(self):
        async def run():
            options = {"concurrency": 100} if driver.FAST else {}
            await Worker(Queue.from_url(driver.URL), [noop, ask, hold], **options).start()

        asyncio.run(run())


if __name__ == "__main__":
    driver.main(Peer())
