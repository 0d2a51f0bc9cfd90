"""What the benchmark of peers decides: plain functions of values, without processes or clocks. tests/bench tests them."""
import statistics

# A percentile needs this many samples above it, or it says where one sample fell.
SAMPLES_ABOVE = 1

# A run is noisy if what does not belong to it took more of the machine than this.
NOISE_LIMIT = 0.05

BULK = 1000  # jobs, as all drivers have it


def median(values):
    """None for no values at all."""
    return statistics.median(values) if values else None


def span(values):
    """(least, median, most), or None."""
    return (min(values), median(values), max(values)) if values else None


def percentile(values, q):
    """The q-th percentile (0 < q < 100) of unsorted values; None if there are too few to say."""
    if len(values) * (100 - q) / 100 < SAMPLES_ABOVE:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q / 100))]


def percentiles(values):
    return {name: percentile(values, q) for name, q in (("p50", 50), ("p99", 99), ("p99.9", 99.9))}


def ratio(value, base):
    """None where either is missing, or the base is nothing."""
    return value / base if value is not None and base else None


def delivery(counts, enqueued):
    """What came of jobs 0 .. enqueued-1 of which job n ran counts[n] times; runs of numbers that nobody enqueued count
    as doubled as well, since they came out of nothing."""
    lost = [n for n in range(enqueued) if counts[n] == 0] if 0 in counts[:enqueued] else []
    doubled = [n for n, times in enumerate(counts[:enqueued]) if times > 1] if any_above_one(counts[:enqueued]) else []
    invented = [n for n, times in enumerate(counts[enqueued:], enqueued) if times]
    return {"jobs": enqueued, "lost": len(lost), "doubled": len(doubled) + len(invented),
            "first_lost": lost[:5], "first_doubled": (doubled + invented)[:5]}


def any_above_one(counts):
    return counts.count(0) + counts.count(1) != len(counts)


def exact(found):
    return not found["lost"] and not found["doubled"]


def sentence(found):
    """One line for people."""
    if exact(found):
        return f"each of {found['jobs']} jobs ran once"
    parts = []
    if found["lost"]:
        parts.append(f"{found['lost']} lost (job {found['first_lost'][0]})")
    if found["doubled"]:
        parts.append(f"{found['doubled']} ran twice or more (job {found['first_doubled'][0]})")
    return f"of {found['jobs']} jobs " + ", ".join(parts)


def noise(busy_seconds, own_seconds, elapsed, cores):
    """The share of the machine that others had, the hypervisor's part included: 0 .. 1."""
    return max(0.0, busy_seconds - own_seconds) / (elapsed * cores) if elapsed > 0 else 0.0


def again(share, repeated, repeats_left):
    """Whether a run with this noise is to be repeated: each once, and not more than are left in all."""
    return share > NOISE_LIMIT and not repeated and repeats_left > 0


def steady_rate(starts):
    """Jobs a second from the start times (ns) of all jobs of a drain, without its first tenth, which warms up."""
    ordered = sorted(starts)
    first = len(ordered) // 10
    took = (ordered[-1] - ordered[first]) / 1e9 if ordered else 0
    return (len(ordered) - 1 - first) / took if took > 0 else None


def jobs_for(rate, seconds, least, most):
    """How many jobs last so long at this rate; whole bulks where there are several."""
    count = int(max(least, min(most, rate * seconds)))
    return count if count < 2 * BULK else count // BULK * BULK


def given_up(without_progress, waited, deadline):
    """Whether to wait no longer for jobs: nothing ran for so long, or it takes several times as long in all."""
    return without_progress > deadline or waited > 4 * deadline


def half_load(drained_per_s, enqueued_per_s, most=50_000):
    """Half of what client and worker can do at once, a job in and a job out: they share the store, and most machines'
    processors."""
    seconds_a_job = sum(1 / rate for rate in (drained_per_s, enqueued_per_s) if rate)
    return max(1, min(most, int(0.5 / seconds_a_job))) if seconds_a_job else 1


def placement(cpus, workers):
    """Which processors the server, each worker and the client get. The server has the first for itself. With too few
    for all, one worker shares its own with the client, and several share all with everything."""
    cpus = sorted(cpus)
    if len(cpus) >= workers + 2:
        return {"server": cpus[:1], "workers": [[cpu] for cpu in cpus[1:workers + 1]], "client": [cpus[workers + 1]]}
    if len(cpus) >= 2 and workers == 1:
        return {"server": cpus[:1], "workers": [cpus[1:]], "client": cpus[1:]}
    return {"server": cpus[:1], "workers": [cpus] * workers, "client": cpus}


def order(peers, rounds, ours_every):
    """(round, who) in the order of the runs: ours comes first, and again after so many of theirs."""
    runs = []
    for number in range(rounds):
        for at, peer in enumerate(peers):
            if at % ours_every == 0:
                runs.append((number, None))
            runs.append((number, peer))
        if not peers:
            runs.append((number, None))
    return runs
