#!/usr/bin/env python3
"""./dev bench bullmq [--runs N] [--out FILE.json]: quarq and BullMQ in the four scenarios of bullmq-bench, which is what
others publish figures of. Both sides take turns, each time on a new Redis without persistence.

bullmq-bench divides the number of all jobs, with those that warm up, by the time of the others; here only the others
count, on both sides."""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import decide
import flags
import install
import machine
import peers
import processes
import servers

SCENARIOS = ("queue-add", "queue-add-bulk", "worker-generic", "worker-concurrent")
RESULTS = peers.ROOT / "bench/results/bullmq"
DEADLINE = 60.0


def commands():
    """{who: what runs a scenario, without its name}"""
    bullmq = peers.named("BullMQ")
    install.install(bullmq)
    folder = peers.BUILT / bullmq.driver
    shutil.copy(peers.DRIVERS / "bullmq_scenarios.mjs", folder)
    return {"quarq": [peers.ROOT / "build/release/bin/quarq-bench", "scenario"],
            "BullMQ": ["node", folder / "bullmq_scenarios.mjs"]}


def rate(who, command, scenario):
    place = decide.placement(os.sched_getaffinity(0), 1)
    server = servers.Redis(place["server"])
    try:
        more = [server.url] if who == "quarq" else []
        log = server.folder / "client.log"
        answer = processes.Process([*command, scenario, *more], place["client"], log, {"BENCH_URL": server.url},
                                   capture=True).answer(DEADLINE)
        return answer["jobs"] / answer["seconds"]
    finally:
        server.stop()


def main(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=flags.at_least(1), default=7)
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS / f"{datetime.date.today().isoformat()}.json")
    options = parser.parse_args(words)
    processes.adopt_orphans()
    try:
        both = commands()
    except install.Absent as reason:
        raise SystemExit(f"bench bullmq: BullMQ can't be had: {reason}") from None
    runs = []
    watch = processes.Machine()
    try:
        for number in range(options.runs):
            runs.append({who: {name: round(rate(who, command, name), 1) for name in SCENARIOS} for who, command in both.items()})
            print(f"bench bullmq: {number + 1}: " + "; ".join(
                f"{name}: {runs[-1]['quarq'][name]:,.0f} and {runs[-1]['BullMQ'][name]:,.0f} jobs/s" for name in SCENARIOS), flush=True)
    finally:
        processes.reap_orphans()
    results = {"date": datetime.date.today().isoformat(), "machine": machine.about(), "versions": install.versions_of_the_rest(),
               "bullmq": install.version(peers.named("BullMQ")), "noise": round(decide.noise(*watch.since(), os.cpu_count()), 3),
               "runs": runs}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"bench bullmq: {options.out}; bench/pages.py makes its table in docs/benchmarks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
