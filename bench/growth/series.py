"""What grows, from where to where, and what is measured meanwhile."""
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Series:
    title: str  # of the plot
    axis: str  # what n counts
    points: tuple
    plotted: str  # the figure that the plot shows
    runs: int = 3


SERIES = {
    "queued": Series("Queued jobs", "jobs in the queue", (10_000, 100_000, 1_000_000, 10_000_000), "drain, CPU us a job"),
    "deferred": Series("Deferred jobs", "deferred jobs in the queue", (1_000, 10_000, 100_000, 1_000_000), "drain, CPU us a job"),
    "kept": Series("Kept results", "results that the queue keeps", (1, 1_000, 10_000, 100_000, 1_000_000, 3_000_000),
                   "drain, CPU us a job"),
    "cancelled": Series("Cancelled jobs", "ids cancelled before the drain", (1, 100, 1_000, 10_000, 100_000),
                        "drain, CPU us a job"),
    "queues": Series("Queues", "queues of one worker", (1, 10, 100, 1_000), "drain, CPU us a job"),
    "busy_workers": Series("Busy workers", "workers of one queue", (1, 10, 100, 1_000), "drain, CPU us a job"),
    "idle_workers": Series("Idle workers", "idle workers of one queue", (1, 10, 100, 1_000), "idle, server CPU %"),
    "waiting": Series("Waiting clients", "results awaited at once", (1, 10, 100, 1_000, 10_000), "a result, CPU us"),
    "payload": Series("Payload", "bytes of a job's argument", (100, 1_000, 64_000, 1_000_000), "drain, CPU us a KB"),
}
STORES = ("redis", "sqlite")
NOISE = "noise"  # beside the figures of a point: the share of the machine that others had


def is_elapsed(figure):
    """Whether it is a time that passes, in which others may have the processor, and not one of the processor."""
    return figure.split(", ")[-1].startswith("us") and "CPU" not in figure


def growth(values):
    """How often the cost doubles, and more, from the first point to the last: the last as a multiple of the first.
    None where there are no two."""
    present = [(n, value) for n, value in values if value]
    return present[-1][1] / present[0][1] if len(present) > 1 else None


def worse_than_logarithmic(values):
    """Whether what is measured grows faster than the logarithm of n: each tenfold n may add a half of what the cheapest
    point costs. values: [(n, value)], at least two."""
    least = min(value for _, value in values)
    first = values[0]
    return any(value > least * (1.25 + 0.5 * math.log10(n / first[0])) for n, value in values[1:] if n > first[0])
