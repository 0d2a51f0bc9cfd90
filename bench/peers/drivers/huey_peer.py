"""Huey. Fast: 4 threads and no periodic tasks; by default it has one."""
import logging

import driver
from huey import RedisHuey

huey = RedisHuey("bench", url=driver.URL or "redis://127.0.0.1")
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
        wait = {"backoff": 1.0, "initial_delay": 0.001} if driver.FAST else {}
        try:
            ask(text).get(blocking=True, timeout=30, **wait)
        except TypeError:  # versions that have no initial delay
            ask(text).get(blocking=True, timeout=30)

    def work(self):
        fast = ["-w", 4, "-n"] if driver.FAST else []
        driver.become_module("huey.bin.huey_consumer", "huey_peer.huey", *fast)


if __name__ == "__main__":
    driver.main(Peer())
