"""Huey. Fast: 16 threads, no periodic tasks, results announced in place of looked for; by default it has one thread."""
import logging

import driver
from huey import RedisHuey

huey = RedisHuey("bench", url=driver.URL or "redis://127.0.0.1", notify_result=driver.FAST)
logging.getLogger("huey").setLevel(logging.WARNING)


@huey.task()
def noop(text):
    driver.ran(text)


@huey.task()
def ask(text):
    driver.ran(text)
    return len(text)


@huey.task()
def hold(text):
    driver.ran(text)
    driver.hold()


class Peer:
    def enqueue(self, task, text):
        {"noop": noop, "hold": hold}[task](text)

    def ask(self, text):
        ask(text).get(blocking=True, timeout=30)

    def work(self):
        fast = ["-w", 16, "-n"] if driver.FAST else []
        driver.become_module("huey.bin.huey_consumer", "huey_peer.huey", *fast)


if __name__ == "__main__":
    # A task is known by its module's name, which the worker does not see as __main__.
    import huey_peer

    driver.main(huey_peer.Peer())
