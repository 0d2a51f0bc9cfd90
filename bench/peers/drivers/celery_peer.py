"""Celery. Fast: the solo pool, 1,000 jobs fetched ahead, no gossip, mingle and heartbeat, no result of noop."""
import celery
import driver

app = celery.Celery("celery_peer", broker=driver.URL, backend=driver.URL)
if driver.FAST:
    app.conf.update(worker_prefetch_multiplier=1000, task_ignore_result=True, worker_concurrency=1)


@app.task(name="noop")
def noop(text):
    driver.ran(text)


@app.task(name="ask", ignore_result=False)
def ask(text):
    driver.ran(text)
    return len(text)


@app.task(name="hold")
def hold(text):
    driver.ran(text)
    driver.hold()


class Peer:
    def enqueue(self, task, text):
        {"noop": noop, "hold": hold}[task].delay(text)

    def ask(self, text):
        ask.delay(text).get(timeout=30)

    def work(self):
        fast = ["--pool", "solo", "--without-gossip", "--without-mingle", "--without-heartbeat"] if driver.FAST else []
        driver.become_module("celery", "-A", "celery_peer", "worker", "--loglevel", "WARNING", *fast)


if __name__ == "__main__":
    driver.main(Peer())
