#!/usr/bin/env python3
"""record_levels.py [ARGS]: what `quarq-bench levels --json ARGS` measures, with the date and the machine, into
bench/results/levels/DATE.json, of which pages.py makes tables."""
import datetime
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench/peers"))
# pylint: disable=wrong-import-position
import install
import machine


def main(words):
    done = subprocess.run([ROOT / "build/release/bin/quarq-bench", "levels", "--json", *words], stdout=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode:
        return done.returncode
    date = datetime.date.today().isoformat()
    out = ROOT / f"bench/results/levels/{date}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"date": date, "machine": machine.about(), "versions": install.versions_of_the_rest(),
                               "figures": json.loads(done.stdout)}, indent=1) + "\n", encoding="utf-8")
    print(f"bench levels: {out}; bench/pages.py makes the tables in docs/benchmarks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
