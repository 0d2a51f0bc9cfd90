"""RQ. Fast: SimpleWorker, which does not fork for each job, and no result kept of noop."""
import driver
import redis
import rq


def noop(text):
    driver.ran(text)


def ask(text):
    driver.ran(text)
    return len(text)


def hold(text):
    driver.ran(text)
    driver.hold()


class Peer:
    def open(self):
        self.queue = rq.Queue("bench", connection=redis.Redis.from_url(driver.URL))
        self.options = {"result_ttl": 0} if driver.FAST else {}

    def enqueue(self, task, text):
        self.queue.enqueue(f"rq_peer.{task}", text, **self.options)

    def enqueue_many(self, task, texts):
        self.queue.enqueue_many([rq.Queue.prepare_data(f"rq_peer.{task}", (text,), **self.options) for text in texts])

    def ask(self, text):
        job = self.queue.enqueue("rq_peer.ask", text)
        while job.latest_result(timeout=5) is None:
            pass

    def work(self):
        kind = rq.SimpleWorker if driver.FAST else rq.Worker
        kind(["bench"], connection=redis.Redis.from_url(driver.URL)).work(logging_level="WARNING")


if __name__ == "__main__":
    driver.main(Peer())
