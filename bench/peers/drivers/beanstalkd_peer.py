"""beanstalkd, with greenstalk: a server that reserves and deletes by single commands, and no results."""
import threading
import urllib.parse

import driver
import greenstalk


class Peer:
    def __init__(self):
        self.each_thread = threading.local()

    def client(self):
        if not hasattr(self.each_thread, "client"):
            url = urllib.parse.urlparse(driver.URL)
            self.each_thread.client = greenstalk.Client((url.hostname, url.port))
        return self.each_thread.client

    def enqueue(self, task, text):
        self.client().put(f"{task}:{text}")

    def work(self):
        client = self.client()
        while True:
            job = client.reserve()
            task, text = job.body.split(":", 1)
            driver.ran(text)
            if task == "hold":
                driver.hold()
            client.delete(job)


if __name__ == "__main__":
    driver.main(Peer())
