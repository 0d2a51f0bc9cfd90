"""The peers, and how each is had. Adding one is an entry here and a driver in drivers/ (drivers/driver.py)."""
import dataclasses
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILT = ROOT / "build/peers"
DRIVERS = HERE / "drivers"

ONE_BY_ONE = ("one", "in_flight")
AND_BULK = (*ONE_BY_ONE, "bulk")


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    by: str  # pip, npm, go, apt or ours: who installs it
    server: str  # a kind in servers.py
    packages: tuple = ()  # the first is the one whose version is the peer's
    modes: tuple = ONE_BY_ONE
    asks: bool = True  # its client can wait for a result
    configs: tuple = ("fast", "defaults")
    driver: str = ""
    fast: str = ""  # what its fast configuration is, in a few words
    at_once: tuple = (100, 10)  # jobs that its worker starts together: fast, and at its defaults

    def command(self):
        """What runs its driver."""
        name = self.driver or self.name
        if self.by == "ours":
            return [ROOT / "build/release/bin/quarq-bench", "peer"]
        if self.by == "pip":
            return [BUILT / name / "bin/python", "-B", DRIVERS / f"{name}_peer.py"]
        if self.by == "npm":
            return ["node", BUILT / name / f"{name}_peer.mjs"]
        if self.by == "go":
            return [BUILT / "go" / f"{name}_peer"]
        return ["ruby", DRIVERS / f"{name}_peer.rb"]


OURS = [
    Peer("quarq", "ours", "redis", modes=AND_BULK, fast="1,000 jobs at once, no results", at_once=(1000, 100)),
    Peer("quarq on arq's keys", "ours", "arq", modes=AND_BULK,
         fast="1,000 jobs at once, no results", at_once=(1000, 100)),
    Peer("quarq on SQLite", "ours", "file", modes=AND_BULK, fast="1,000 jobs at once, no results", at_once=(1000, 100)),
]

THEIRS = [
    Peer("arq", "pip", "redis", ("arq",), fast="100 jobs at once, a look every 10 ms, no results"),
    Peer("RQ", "pip", "redis", ("rq",), AND_BULK, driver="rq", fast="SimpleWorker, no results", at_once=(1, 1)),
    Peer("Celery", "pip", "redis", ("celery", "celery[redis]"), driver="celery",
         fast="solo pool, prefetch 1,000, no gossip, mingle, heartbeat and results", at_once=(1, 2)),
    Peer("Dramatiq", "pip", "redis", ("dramatiq", "dramatiq[redis]"), driver="dramatiq",
         fast="one process, 32 threads", at_once=(32, 16)),
    Peer("Huey", "pip", "redis", ("huey", "redis"), driver="huey",
         fast="16 threads, no periodic tasks, results announced", at_once=(16, 1)),
    Peer("taskiq", "pip", "redis", ("taskiq", "taskiq-redis"),
         fast="ListQueueBroker, 1 process, 100 at once", at_once=(100, 200)),
    Peer("SAQ", "pip", "redis", ("saq", "saq[redis]", "typing-extensions"), driver="saq",
         fast="100 jobs at once, no results"),
    Peer("BullMQ", "npm", "redis", ("bullmq", "ioredis"), AND_BULK, driver="bullmq",
         fast="100 jobs at once, no results", at_once=(100, 1)),
    Peer("asynq", "go", "redis", ("github.com/hibiken/asynq",), asks=False,
         fast="100 jobs at once, a look every 10 ms", at_once=(100, 2)),
    Peer("Sidekiq", "apt", "redis", ("ruby-sidekiq",), AND_BULK, asks=False, configs=("fast",), driver="sidekiq",
         fast="10 threads, its default", at_once=(10, 10)),
    Peer("beanstalkd", "pip", "beanstalkd", ("greenstalk",), asks=False, configs=("fast",),
         fast="greenstalk, its default", at_once=(1, 1)),
    Peer("pg-boss", "npm", "postgres", ("pg-boss",), AND_BULK, asks=False, driver="pgboss",
         fast="1,000 jobs a fetch, a look every 500 ms", at_once=(1000, 1)),
    Peer("graphile-worker", "npm", "postgres", ("graphile-worker",), AND_BULK, asks=False, driver="graphile",
         fast="local queue of 500, 24 at once", at_once=(500, 1)),
    Peer("River", "go", "postgres", ("github.com/riverqueue/river",), AND_BULK, asks=False, driver="river",
         fast="1,000 jobs at once, a fetch every 10 ms", at_once=(1000, 100)),
]

# They would be peers as well, but cannot be had in a state that can be measured.
NOT_MEASURED = {
    "gearman": "its server is in Debian, but no Python 3 client that is maintained",
}


def named(name):
    """The peer with this name, whatever its case. Throws SystemExit if there is none."""
    for peer in (*OURS, *THEIRS):
        if peer.name.lower() == name.lower() or (peer.driver or peer.name).lower() == name.lower():
            return peer
    sys.exit(f"bench peers: there is no peer \"{name}\": {', '.join(p.name for p in THEIRS)}")
