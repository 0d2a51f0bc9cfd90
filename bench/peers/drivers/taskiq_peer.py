"""taskiq. Fast: its list broker, one worker process, 100 jobs at once, results looked for each 10 ms. By default: its
stream broker, which acknowledges, two processes, results looked for each 200 ms."""
import asyncio

import driver
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend, RedisStreamBroker

URL = driver.URL or "redis://127.0.0.1"
broker = (ListQueueBroker if driver.FAST else RedisStreamBroker)(url=URL).with_result_backend(RedisAsyncResultBackend(URL))


@broker.task(task_name="noop")
async def noop(text: str) -> None:
    driver.ran(text)


@broker.task(task_name="ask")
async def ask(text: str) -> int:
    driver.ran(text)
    return len(text)


@broker.task(task_name="hold")
async def hold(text: str) -> None:
    driver.ran(text)
    await asyncio.sleep(driver.HOLD_SECONDS)


class Peer:
    async def open(self):
        await broker.startup()

    async def close(self):
        await broker.shutdown()

    async def enqueue(self, task, text):
        await {"noop": noop, "hold": hold}[task].kiq(text)

    async def ask(self, text):
        task = await ask.kiq(text)
        await task.wait_result(check_interval=0.01 if driver.FAST else 0.2, timeout=30)

    def work(self):
        fast = ["--workers", 1, "--max-async-tasks", 100, "--max-prefetch", 100] if driver.FAST else []
        driver.become_module("taskiq", "worker", "taskiq_peer:broker", "--log-level", "WARNING", *fast)


if __name__ == "__main__":
    driver.main(Peer())
