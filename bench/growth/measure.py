#!/usr/bin/env python3
"""measure.py [--only NAME,NAME] [--store redis|sqlite] [--runs N] [--most N] [--quick] [--out FILE.json]: what a job costs while one thing
grows: the queue, deferred jobs, kept results, queues, workers, waiting clients, the payload, cancelled ids.

Each point is measured by a process of its own (quarq-bench growth), at a new store. The results go into
bench/results/growth/DATE.json, or are added to FILE.json; ../pages.py makes docs/growth.md and its plots of the newest.
--most leaves out the points that have more; --quick is --most 100000 --runs 1."""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "peers"))
# pylint: disable=wrong-import-position
import decide
import flags
import install
import machine
import processes
from series import NOISE, SERIES, STORES, is_elapsed

ROOT = HERE.parent.parent
PROGRAM = ROOT / "build/release/bin/quarq-bench"
RESULTS = ROOT / "bench/results/growth"
DEADLINE = 1_200
LARGE = 1_000_000  # and more: once


def measure(name, store, n):
    """The figures of one run, and which share of the machine others had meanwhile."""
    watch = processes.Machine()
    done = subprocess.run([PROGRAM, "growth", name, store, str(n)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=DEADLINE, check=False)
    if done.returncode:
        raise SystemExit(f"growth: {name} of {n} at {store}: {done.stderr.strip()}")
    busy, own, took = watch.since()
    return json.loads(done.stdout), decide.noise(busy, own, took, os.cpu_count())


def point(name, store, n, runs):
    """The medians of some runs. Where others had much of the machine, what they took from a run shows in all times but
    those of the processor: these alone are kept."""
    measured = [measure(name, store, n) for _ in range(runs)]
    noise = decide.median([share for _, share in measured])
    figures = {figure: round(decide.median([found[figure] for found, _ in measured]), 4) for figure in measured[0][0]}
    if noise > decide.NOISE_LIMIT:
        figures = {figure: value for figure, value in figures.items() if not is_elapsed(figure)}
    return {**figures, NOISE: round(noise, 3)}


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SERIES))
    parser.add_argument("--store", choices=STORES)
    parser.add_argument("--runs", type=flags.at_least(1))
    parser.add_argument("--most", type=flags.at_least(1))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args(words)
    given.only = given.only.split(",")
    if given.quick:
        given.most, given.runs = given.most or 100_000, given.runs or 1
    for name in given.only:
        if name not in SERIES:
            parser.error(f"nothing called {name} grows here: {', '.join(SERIES)}")
    return given


def main(words):
    given = arguments(words)
    date = datetime.date.today().isoformat()
    out = given.out or RESULTS / f"{date}.json"
    results = json.loads(out.read_text()) if out.exists() else {"series": {}}
    results.update(date=date, machine=machine.about(), versions=install.versions_of_the_rest())
    out.parent.mkdir(parents=True, exist_ok=True)
    for name in given.only:
        series = SERIES[name]
        for store in (given.store,) if given.store else STORES:
            points = {}
            for n in series.points:
                if given.most and n > given.most:
                    continue
                runs = given.runs or (1 if n >= LARGE else series.runs)
                points[str(n)] = point(name, store, n, runs)
                print(f"{name:14} {store:7} {n:>10,}  " +
                      "; ".join(f"{figure}: {value:.2f}" for figure, value in points[str(n)].items()), flush=True)
            results["series"].setdefault(name, {})[store] = points
            out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"growth: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
