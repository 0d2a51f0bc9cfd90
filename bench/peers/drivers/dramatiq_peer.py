"""Dramatiq. Fast: one process with 32 threads; by default it starts a process a core."""
import dramatiq
import driver
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

broker = RedisBroker(url=driver.URL or "redis://127.0.0.1")
broker.add_middleware(Results(backend=RedisBackend(url=driver.URL or "redis://127.0.0.1")))
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(text):
    driver.ran(text)


@dramatiq.actor(store_results=True)
def ask(text):
    driver.ran(text)
    return len(text)


@dramatiq.actor
def hold(text):
    driver.ran(text)
    driver.hold()


class Peer:
    def enqueue(self, task, text):
        {"noop": noop, "hold": hold}[task].send(text)

    def ask(self, text):
        ask.send(text).get_result(block=True, timeout=30_000)

    def work(self):
        fast = ["--processes", 1, "--threads", 32] if driver.FAST else []
        driver.become_module("dramatiq", "dramatiq_peer", *fast)


if __name__ == "__main__":
    driver.main(Peer())
