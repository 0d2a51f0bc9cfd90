"""One run of one peer in one configuration: a new server, jobs in, jobs out, and what came of each."""
import dataclasses
import os
import tempfile
import time

import decide
import ledger
import processes
import servers


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long the parts of a run take, in seconds, and their bounds."""

    fill: float = 0.7
    drain: float = 2.0
    ask: float = 1.5
    pace: float = 1.5
    most_asks: int = 5000
    least_jobs: int = 100
    most_jobs: int = 400_000
    deadline: float = 60.0  # without a job that runs: the rest is lost
    parts: tuple = ("enqueue", "drain", "two", "ask", "pace")


def warm_up(plan):
    """What tells how many jobs the other runs have."""
    return dataclasses.replace(plan, parts=("enqueue", "drain"))


def at_defaults(plan):
    """A shorter plan for a peer at its defaults, of which some run a job every two seconds."""
    return dataclasses.replace(plan, parts=tuple(part for part in plan.parts if part in ("drain", "ask")), least_jobs=10)


QUICK = Plan(fill=0.3, drain=1.0, ask=0.7, pace=0.7, most_jobs=200_000, deadline=30.0)
# Its number of questions ends it, however slow the machine is.
SMOKE = Plan(fill=0.1, drain=0.2, ask=30.0, pace=0.2, most_asks=25, least_jobs=50, most_jobs=500, deadline=20.0)

# Slower than any peer: for the first run, which tells how many jobs the others take.
GUESS = {"one": 1000.0, "in_flight": 1000.0, "bulk": 5000.0, "drain": 300.0}
GUESS_AT_DEFAULTS = {**GUESS, "drain": 10.0}
IDLE_RATE = 100
LEAST_TIMES = 20  # jobs whose pick-up is timed
CLIENT_DEADLINE = 60.0


class Run:
    def __init__(self, peer, config, plan, rates):
        self.peer, self.config = peer, config
        self.plan = plan if config == "fast" else at_defaults(plan)
        self.rates = {**(GUESS if config == "fast" else GUESS_AT_DEFAULTS), **rates}
        self.figures = {}
        self.used = 0  # numbers of jobs
        self.cpus = os.sched_getaffinity(0)
        self.place = decide.placement(self.cpus, 1)

    def measure(self):
        """Returns the figures, and what came of the jobs. Throws RuntimeError if the peer failed."""
        counts = self._job_counts()
        room = sum(counts.values()) + self.plan.most_asks + 4 * decide.BULK + 100_000
        with tempfile.TemporaryDirectory(prefix="quarq-bench-") as self.folder, ledger.monotonic_folder() as memory:
            self.ledger = ledger.Ledger(memory, room)
            self.server = servers.KINDS[self.peer.server](self.place["server"])
            self.env = {"BENCH_URL": self.server.url, "BENCH_CONFIG": self.config, "BENCH_LEDGER": memory}
            try:
                self._enqueue_and_drain(counts)
                time.sleep(0.05)  # what is delivered twice in spite of all comes now
                found = decide.delivery(self.ledger.counts(), self.used)
            finally:
                self.server.stop()
                processes.reap_orphans()
                self.ledger.close()
        return {"figures": self.figures, "delivery": found}

    def _job_counts(self):
        plan = self.plan
        # Jobs that start together have one start time: a tenth, which is left out, must be as many.
        together = 10 * self.peer.at_once[0 if self.config == "fast" else 1]
        drained = decide.jobs_for(self.rates["drain"], plan.drain, max(plan.least_jobs, min(together, plan.most_jobs)),
                                  plan.most_jobs)
        counts = {"drain": drained}
        if "enqueue" in plan.parts:
            # All of it must be drained in time as well.
            for mode in self.peer.modes:
                most = max(plan.least_jobs, drained if mode == "bulk" else drained // 2)
                counts[mode] = decide.jobs_for(self.rates[mode], plan.fill, plan.least_jobs, most)
        if "two" in plan.parts:
            counts["two"] = drained
        return counts

    # ---- the parts

    def _enqueue_and_drain(self, counts):
        empty = self.server.stored_bytes()
        first = self.used
        if "enqueue" in self.plan.parts:
            for mode in self.peer.modes:
                self.figures[f"enqueue, {mode}"] = self._fill(mode, counts[mode])
        best = self.peer.modes[-1]
        rest = counts["drain"] - (self.used - first)
        if rest > 0:
            self._fill(best, rest)
        self.figures["stored bytes a job"] = (self.server.stored_bytes() - empty) / self.used
        worker = self._drain(first, self.used)
        try:
            if "ask" in self.plan.parts and self.peer.asks:
                self._ask()
            if "pace" in self.plan.parts:
                self._pace("idle", IDLE_RATE)
                enqueued = self.figures.get("enqueue, in_flight")
                self._pace("half load", decide.half_load(self.figures["drain"], enqueued))
        finally:
            worker.stop()
        if "two" in self.plan.parts:
            self._drain_with_two(best, counts["two"])

    def _fill(self, mode, count):
        answer = self._client("fill", "noop", mode, self.used, count)
        self.used += count
        return answer["jobs"] / answer["seconds"] if answer["seconds"] else None

    def _drain(self, first, end):
        """Starts a worker, waits until it has run them all, and returns it, still running."""
        start = time.monotonic_ns()
        worker = self._worker(self.place["workers"][0])
        try:
            early = None
            for done in self._until_done(first, end, [worker]):
                if early is None and done >= (end - first) // 10:
                    early = (done, processes.cpu_seconds(worker.pid), self.server.cpu_seconds())
            ran, cpu, server_cpu = early
            jobs = end - first - ran
            if jobs >= self.plan.least_jobs // 2:
                self.figures["worker CPU, us a job"] = (processes.cpu_seconds(worker.pid) - cpu) / jobs * 1e6
                self.figures["server CPU, us a job"] = (self.server.cpu_seconds() - server_cpu) / jobs * 1e6
            starts = self.ledger.starts(first, end).values()
            self.figures["drain"] = decide.steady_rate(starts)
            self.figures["drain, process start included"] = (end - first) / ((max(starts) - start) / 1e9)
            self.figures["worker memory, MB"] = processes.memory_mb(worker.pid)
        except BaseException:
            worker.stop()
            raise
        return worker

    def _drain_with_two(self, mode, count):
        first = self.used
        self._fill(mode, count)
        workers = []
        try:
            for cpus in decide.placement(self.cpus, 2)["workers"]:
                workers.append(self._worker(cpus))
            for _ in self._until_done(first, self.used, workers):
                pass
            self.figures["drain by two"] = decide.steady_rate(self.ledger.starts(first, self.used).values())
        finally:
            for worker in workers:
                worker.stop()

    def _ask(self):
        answer = self._client("ask", self.used, self.plan.most_asks, self.plan.ask)
        self.used += len(answer["us"])
        for name, value in decide.percentiles(answer["us"]).items():
            self.figures[f"round trip, {name}, us"] = value

    def _pace(self, load, rate):
        count = max(LEAST_TIMES, min(50_000, int(rate * self.plan.pace)))
        first = self.used
        answer = self._client("pace", first, count, rate)
        self.used += count
        for _ in self._until_done(first, self.used, []):
            pass
        starts = self.ledger.starts(first, self.used)
        waits = [(starts[first + n] - sent) / 1e3 for n, sent in enumerate(answer["sent"]) if first + n in starts]
        self.figures[f"{load}, jobs/s"] = rate
        for name, value in decide.percentiles(waits).items():
            self.figures[f"enqueue to start, {load}, {name}, us"] = value

    # ---- processes

    def _client(self, *words):
        log = os.path.join(self.folder, "client.log")
        client = processes.Process([*self.peer.command(), *words], self.place["client"], log, self.env, capture=True)
        return client.answer(CLIENT_DEADLINE)

    def _worker(self, cpus):
        return processes.Process([*self.peer.command(), "work"], cpus, os.path.join(self.folder, "worker.log"), self.env)

    def _until_done(self, first, end, workers):
        """How many have run, again and again until all have. What is missing once nothing has run for as long as the
        plan says is lost, which the check of the delivery tells."""
        start = progress = time.monotonic()
        done = 0
        while done < end - first:
            before, done = done, self.ledger.done(first, end)
            yield done
            for worker in workers:
                if not worker.running():
                    raise RuntimeError(f"its worker ended: {worker.last_words()}")
            now = time.monotonic()
            progress = now if done > before else progress
            if decide.given_up(now - progress, now - start, self.plan.deadline):
                if done <= (end - first) // 2:
                    raise RuntimeError(f"{done} of {end - first} jobs ran within {now - start:.0f} s: "
                                       f"{workers[0].last_words() if workers else 'no word'}")
                return
            time.sleep(0.004)


def rates_of(figures):
    """What a run tells about how many jobs the next should have."""
    return {name: figures[key] for name, key in (("one", "enqueue, one"), ("in_flight", "enqueue, in_flight"),
                                                 ("bulk", "enqueue, bulk"), ("drain", "drain")) if figures.get(key)}
