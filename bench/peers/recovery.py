"""How long a job of a killed worker waits until it runs again, while another worker of the same peer idles. All peers
wait at the same time: they hardly use the machine."""
import os
import tempfile
import time

import ledger
import processes
import servers

STANDBY_SECONDS = 4  # until a second worker is up, which nothing tells


class Trial:
    """One peer: a job under way in its first worker, and a second worker without work."""

    def __init__(self, peer, config):
        self.peer, self.killed_at, self.seconds = peer, None, None
        self.folder = tempfile.TemporaryDirectory(prefix="quarq-bench-")
        self.memory = ledger.monotonic_folder()
        self.ledger = ledger.Ledger(self.memory.name, 1)
        self.workers, self.server = [], None
        self.cpus = os.sched_getaffinity(0)
        self.log = os.path.join(self.folder.name, "log")
        try:
            self.server = servers.KINDS[peer.server](self.cpus)
            self.env = {"BENCH_URL": self.server.url, "BENCH_CONFIG": config, "BENCH_LEDGER": self.memory.name}
            client = processes.Process([*peer.command(), "fill", "hold", "one", 0, 1], self.cpus, self.log, self.env,
                                       capture=True)
            client.answer(30)
            self.add_worker()
            servers.wait_for(f"the worker of {peer.name}", lambda: self.ran() >= 1, 30)
        except BaseException:
            self.close()
            raise

    def add_worker(self):
        self.workers.append(processes.Process([*self.peer.command(), "work"], self.cpus, self.log, self.env))

    def ran(self):
        return self.ledger.counts()[0]

    def kill(self):
        self.workers[0].kill()
        self.killed_at = time.monotonic()

    def look(self):
        if self.seconds is None and self.ran() >= 2:
            self.seconds = time.monotonic() - self.killed_at

    def close(self):
        for worker in self.workers:
            worker.kill()
        if self.server:
            self.server.stop()
        self.ledger.close()
        self.memory.cleanup()
        self.folder.cleanup()


def measure(peers, config, limit, say):
    """{name: seconds, or None if it took longer than the limit}; peers that failed are left out."""
    trials = []
    try:
        for peer in peers:
            try:
                trials.append(Trial(peer, config))
            except (RuntimeError, OSError) as error:
                say(f"{peer.name}, killing its worker: {error}")
        for trial in trials:
            trial.add_worker()
        time.sleep(STANDBY_SECONDS)
        for trial in trials:
            trial.kill()
        end = time.monotonic() + limit
        while time.monotonic() < end and any(trial.seconds is None for trial in trials):
            for trial in trials:
                trial.look()
            time.sleep(0.02)
        return {trial.peer.name: trial.seconds for trial in trials}
    finally:
        for trial in trials:
            trial.close()
        processes.reap_orphans()
