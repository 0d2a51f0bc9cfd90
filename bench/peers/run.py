#!/usr/bin/env python3
"""./dev bench peers: quarq beside others' job queues, in one run on one machine. docs/benchmarks.md says how."""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import decide
import flags
import install
import machine
import peers as known
import processes
import recovery
import scenario

RESULTS = known.ROOT / "bench/results"
FORMAT = 1


def say(text):
    print(f"bench peers: {text}", flush=True)


class Results:
    """All runs, written to the file after each, so that what is interrupted is not lost."""

    def __init__(self, path, quick):
        self.path = path
        self.data = {"format": FORMAT, "date": datetime.date.today().isoformat(), "quick": quick, "machine": machine.about(),
                     "versions": install.versions_of_the_rest(), "peers": {}, "skipped": dict(known.NOT_MEASURED),
                     "runs": [], "recovery": {}, "recovery_limit": 0}

    def add(self, run):
        self.data["runs"].append(run)
        self.write()

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.data, indent=1) + "\n")
        part.replace(self.path)


class Bench:
    def __init__(self, options):
        self.options = options
        self.plan = scenario.QUICK if options.quick else scenario.Plan()
        self.results = Results(options.out, options.quick)
        self.rates = {}
        self.failed = {}
        self.repeats_left = options.repeats
        self.until = time.monotonic() + options.minutes * 60

    def ready(self, peers):
        """Those that can be had."""
        found = []
        for peer in peers:
            try:
                install.install(peer)
                self.results.data["peers"][peer.name] = {"version": install.version(peer), "server": peer.server,
                                                         "fast": peer.fast}
                found.append(peer)
            except install.Absent as reason:
                say(f"{peer.name} is skipped: {reason}")
                self.results.data["skipped"][peer.name] = str(reason)
        return found

    def one(self, number, peer, config):
        """One run, once more if the machine was busy with something else."""
        key = (peer.name, config)
        if self.failed.get(key, 0) >= 2 or time.monotonic() > self.until:
            return
        repeated = False
        while True:
            run = self._measured(number, peer, config)
            if run is None:
                return
            # A round that warms up need not be exact.
            if number == 0 or not decide.again(run["noise"], repeated, self.repeats_left):
                break
            repeated = True
            self.repeats_left -= 1
            run["repeated"] = True
            self.results.add(run)
        self.results.add(run)

    def _measured(self, number, peer, config):
        key = (peer.name, config)
        watch = processes.Machine()
        load = os.getloadavg()[0]
        try:
            plan = self.plan if number else scenario.warm_up(self.plan)
            measured = scenario.Run(peer, config, plan, self.rates.get(key, {})).measure()
        except (RuntimeError, OSError, KeyError, ValueError) as error:
            self.failed[key] = self.failed.get(key, 0) + 1
            say(f"{peer.name} ({config}) failed: {error}")
            self.results.data["skipped"].setdefault(peer.name if config == "fast" else f"{peer.name}, {config}", str(error))
            return None
        busy, own, took = watch.since()
        share = decide.noise(busy, own, took, os.cpu_count())
        self.rates[key] = scenario.rates_of(measured["figures"])
        found = measured["delivery"]
        say(f"{number}: {peer.name} ({config}): drain {measured['figures']['drain'] or 0:,.0f} jobs/s; "
            f"{decide.sentence(found)}; {share:.0%} of the machine was others'; {took:.0f} s")
        return {"round": number, "peer": peer.name, "config": config, **measured, "noise": round(share, 4), "load": load,
                "seconds": round(took, 1)}

    def measure(self, ours, theirs):
        for number, peer in decide.order(theirs, self.options.runs + 1, self.options.ours_every):
            # Round 0 warms up, and tells how many jobs each can do.
            if peer is None:
                self.one(number, ours[0], "fast")
            else:
                for config in peer.configs if number in self.options.defaults_in else peer.configs[:1]:
                    self.one(number, peer, config)
            if peer is theirs[-1] if theirs else True:
                for other in ours[1:]:
                    self.one(number, other, "fast")
                if number in self.options.defaults_in:
                    self.one(number, ours[0], "defaults")
        self.results.data["runs"] = [run for run in self.results.data["runs"] if run["round"] > 0]
        self.results.write()

    def levels(self, quarq):
        say("measuring the four levels of concurrency")
        command = [quarq.command()[0], "levels", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            say("that failed: the reason is above")
            return
        self.results.data["levels"] = json.loads(done.stdout)
        self.results.write()

    def recover(self, everyone):
        if not self.options.recovery:
            return
        say(f"killing a worker of each, and waiting up to {self.options.recovery} s until its job runs again")
        self.results.data["recovery_limit"] = self.options.recovery
        self.results.data["recovery"] = recovery.measure(everyone, "defaults", self.options.recovery, say)
        self.results.write()


def arguments(words):
    parser = argparse.ArgumentParser(prog="./dev bench peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="all of it within 15 minutes: 3 shorter runs of each")
    parser.add_argument("--runs", type=flags.at_least(1), help="alternating runs of each, after one that warms up (5)")
    parser.add_argument("--only", help="these peers alone, with commas between them")
    parser.add_argument("--minutes", type=flags.at_least(0, float),
                        help="start no run after so many (24 for each of the runs; 3.8 with --quick)")
    parser.add_argument("--recovery", type=flags.at_least(0), help="wait so many seconds for a killed worker's job; 0: do not measure it")
    parser.add_argument("--repeats", type=flags.at_least(0), help="noisy runs that are done again, in all")
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS / f"{datetime.date.today().isoformat()}.json")
    parser.add_argument("--levels", action="store_true", help="also keep what ./dev bench levels measures")
    parser.add_argument("--install", action="store_true", help="only install the peers, and name those that cannot be had")
    options = parser.parse_args(words)
    usual = {"runs": 3, "recovery": 120, "repeats": 6} if options.quick else \
            {"runs": 5, "recovery": 900, "repeats": 40}
    for name, value in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.minutes is None:
        options.minutes = options.runs * (3.8 if options.quick else 24)
    options.ours_every = 5 if options.quick else 1
    options.defaults_in = range(2) if options.quick else range(options.runs + 1)
    return options


def main(words):
    options = arguments(words)
    processes.adopt_orphans()
    bench = Bench(options)
    chosen = [known.named(name) for name in options.only.split(",")] if options.only else known.THEIRS
    theirs = bench.ready(peer for peer in chosen if peer.by != "ours")
    if options.install:
        for name, about in bench.results.data["peers"].items():
            say(f"{name} {about['version']}")
        return 0
    ours = bench.ready(known.OURS)
    try:
        bench.measure(ours, theirs)
        bench.recover([*ours, *theirs])
        if options.levels:
            bench.levels(ours[0])
    finally:
        processes.reap_orphans()
    say(f"{options.out}: bench/peers/page.py makes docs/benchmarks.md and README's table from it")
    inexact = [run for run in bench.results.data["runs"] if not decide.exact(run["delivery"])]
    for run in inexact:
        say(f"{run['peer']} ({run['config']}), round {run['round']}: {decide.sentence(run['delivery'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
