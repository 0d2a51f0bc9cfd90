#!/usr/bin/env python3
"""page.py [RESULTS.json] [--check]: makes the tables of docs/benchmarks.md and README.md, and the plots, from the newest
results in bench/results, or from the file named. With --check it only says whether they are up to date."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import decide
import plots
import summary
from plots import in_words

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "bench/results"
IMAGES = ROOT / "docs/images"
OURS = "quarq"
STORES = {"redis": "Redis", "arq": "Redis", "file": "SQLite", "postgres": "PostgreSQL", "beanstalkd": "beanstalkd"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


class Page:
    def __init__(self, results):
        self.results = results
        self.summed = summary.summary(results)
        speed = {name: self.middle(name, "drain") or 0 for name in results["peers"]}
        self.names = sorted((name for name in results["peers"] if (name, "fast") in self.summed),
                            key=lambda name: -speed[name])

    def middle(self, name, figure, config="fast"):
        return summary.middle(self.summed, name, config, figure)

    def cell(self, name, figure, config="fast", scale=1.0):
        """The median, and the range where runs differed by more than a tenth."""
        span = self.summed.get((name, config), {}).get(figure)
        if not span:
            return ""
        least, median, most = (value * scale for value in span)
        text = in_words(median)
        return f"{text} ({in_words(least)}–{in_words(most)})" if most > 1.1 * least else text

    def with_plots(self, text, *plots_of_it):
        """The plots of these results, above a table."""
        made = self.images()
        return "\n\n".join([f"![{title}](images/{name})" for name, title in plots_of_it if name in made] + [text])

    def name_of(self, name):
        return f"**{name}**" if name.startswith(OURS) else name

    # ---- the tables

    def drain(self):
        base = self.middle(OURS, "drain")
        rows = []
        for name in self.names:
            about = self.results["peers"][name]
            times = decide.ratio(base, self.middle(name, "drain"))
            rows.append([self.name_of(name), STORES[about["server"]], self.cell(name, "drain"),
                         "" if name == OURS or times is None else f"{in_words(times)} ×", self.cell(name, "drain by two"),
                         self.cell(name, "drain", "defaults")])
        head = ["jobs/s", "store", "one worker, fast", "quarq is", "two workers, fast", "one worker, defaults"]
        return self.with_plots(table(head, rows), ("bench_drain.svg", "Jobs a second that one worker runs"))

    def enqueue(self):
        rows = [[self.name_of(name), *(self.cell(name, f"enqueue, {mode}") for mode in ("one", "in_flight", "bulk"))]
                for name in self.names]
        return self.with_plots(table(["jobs/s", "one by one", "50 in flight", "in bulks of 1,000"], rows),
                               ("bench_enqueue.svg", "Jobs a second enqueued, 50 in flight"))

    def latency(self):
        columns = [f"round trip, {q}, us" for q in ("p50", "p99", "p99.9")]
        columns += [f"enqueue to start, {load}, {q}, us" for load in ("idle", "half load") for q in ("p50", "p99")]
        head = ["ms", "round trip p50", "p99", "p99.9", "pick-up, idle p50", "p99", "pick-up, half load p50", "p99",
                "half load, jobs/s"]
        rows = [[self.name_of(name), *(self.cell(name, column, scale=1e-3) for column in columns),
                 self.cell(name, "half load, jobs/s")] for name in self.names]
        return self.with_plots(table(head, rows), ("bench_round_trip.svg", "From enqueue to result"),
                               ("bench_pick_up.svg", "From enqueue to start at half load"))

    def cost(self):
        return table(["", "worker CPU, µs a job", "server CPU, µs a job", "worker memory, MB", "stored bytes a job"],
                     [[self.name_of(name), *(self.cell(name, figure) for figure in (
                         "worker CPU, us a job", "server CPU, us a job", "worker memory, MB", "stored bytes a job"))]
                      for name in self.names])

    def recovery(self):
        limit = self.results["recovery_limit"]
        if not limit:
            return "It was not measured in these results."
        waits = self.results["recovery"]
        rows = sorted(waits.items(), key=lambda item: (item[1] is None, item[1]))
        return table(["at its defaults", "seconds until the job runs again"],
                     [[self.name_of(name), f"more than {limit}" if wait is None else in_words(wait)] for name, wait in rows])

    def machine(self):
        about, versions = self.results["machine"], self.results["versions"]
        runs = summary.counted(self.results)
        noise = decide.median([run["noise"] for run in runs]) or 0
        noisy = sum(run["noise"] > decide.NOISE_LIMIT for run in runs)
        virtual = " of a virtual machine" if about["hypervisor"] else ""
        count = max((run["round"] for run in runs), default=0)
        return "\n".join([
            f"- {self.results['date']}: {about['cores']} cores{virtual} ({about['processor']}, {about['memory_gib']:.0f} GiB),",
            f"  Linux {about['kernel'].split('-')[0]}; {count} alternating runs of each peer"
            f"{' (`--quick`)' if self.results['quick'] else ''}.",
            "- " + ", ".join(f"{name} {number}" for name, number in versions.items() if number) + ".",
            f"- What did not belong to a run had {noise:.0%} of the machine in the median;",
            f"  {noisy} of {len(runs)} runs stayed above {decide.NOISE_LIMIT:.0%}."])

    def peers(self):
        return table(["peer", "version", "its fast configuration"],
                     [[name, about["version"], about["fast"]] for name, about in self.results["peers"].items()
                      if not name.startswith(OURS)])

    def delivery(self):
        runs = summary.counted(self.results)
        bad = [run for run in runs if not decide.exact(run["delivery"])]
        jobs = sum(run["delivery"]["jobs"] for run in runs)
        if not bad:
            return f"Each of the {jobs:,} jobs of all {len(runs)} runs ran exactly once."
        lines = [f"Of {len(runs)} runs with {jobs:,} jobs in all, these did not run each job exactly once:", ""]
        return "\n".join(lines + [f"- {run['peer']} ({run['config']}): {decide.sentence(run['delivery'])}" for run in bad])

    def skipped(self):
        lines = []
        for name, reason in self.results["skipped"].items():
            reason = " ".join(reason.split()).replace(str(ROOT) + "/", "")
            reason = reason if len(reason) < 80 else reason[:76] + " ..."
            lines.append(f"- {name}: {'one run failed: ' if name in self.names else ''}{reason}")
        return "\n".join(lines)

    def readme(self):
        base = self.middle(OURS, "drain")
        rows = []
        for name in self.names:
            times = decide.ratio(base, self.middle(name, "drain"))
            trip = self.middle(name, "round trip, p50, us")
            drain, put = self.middle(name, "drain"), self.middle(name, "enqueue, in_flight")
            rows.append([self.name_of(name), STORES[self.results["peers"][name]["server"]], in_words(drain) if drain else "",
                         "" if name == OURS or times is None else f"{in_words(times)} ×", in_words(put) if put else "",
                         f"{in_words(trip / 1e3)} ms" if trip else ""])
        return table(["each in its fast configuration", "store", "drain, jobs/s", "quarq is", "enqueue, jobs/s",
                      "enqueue to result, p50"], rows)

    # ---- the plots

    def plot(self, title, figure, scale=1.0, unit="", most_first=True):
        rows = [(name, tuple(value * scale for value in self.summed[(name, "fast")][figure]), name.startswith(OURS))
                for name in self.names if figure in self.summed[(name, "fast")]]
        rows = [row for row in rows if row[1][0] > 0]
        rows.sort(key=lambda row: -row[1][1] if most_first else row[1][1])
        about = self.results["machine"]
        below = f"{self.results['date']}, {about['cores']} cores; medians, lines are ranges; logarithmic scale"
        return plots.bars(title, below, rows, unit) if rows else None

    def images(self):
        found = {
            "bench_drain.svg": self.plot("Jobs/s that one worker runs", "drain"),
            "bench_enqueue.svg": self.plot("Jobs/s enqueued, 50 in flight", "enqueue, in_flight"),
            "bench_round_trip.svg": self.plot("From enqueue to result, p50", "round trip, p50, us", 1e-3, " ms", False),
            "bench_pick_up.svg": self.plot("From enqueue to start at half load, p99", "enqueue to start, half load, p99, us", 1e-3,
                                           " ms", False),
        }
        return {name: text for name, text in found.items() if text}


def filled(text, page, path):
    """The text, with what stands between <!-- bench: NAME --> and <!-- end --> made anew."""
    parts = text.split("<!-- bench: ")
    out = [parts[0]]
    for part in parts[1:]:
        name, rest = part.split(" -->", 1)
        if "<!-- end -->" not in rest:
            raise SystemExit(f"{path}: \"bench: {name}\" has no end")
        out.append(f"{name} -->\n{getattr(page, name)()}\n<!-- end -->{rest.split('<!-- end -->', 1)[1]}")
    return "<!-- bench: ".join(out)


def files(page):
    """{path: what it should hold}"""
    found = {path: filled(path.read_text(encoding="utf-8"), page, path)
             for path in (ROOT / "docs/benchmarks.md", ROOT / "README.md")}
    found.update((IMAGES / name, text) for name, text in page.images().items())
    return found


def main(words):
    check = "--check" in words
    named = [word for word in words if not word.startswith("-")]
    newest = sorted(RESULTS.glob("*.json"))
    if not named and not newest:
        raise SystemExit("page.py: there are no results in bench/results")
    stale = []
    for path, text in files(Page(summary.load(named[0] if named else newest[-1]))).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"page.py: {'not up to date' if check else 'written'}: {', '.join(stale)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
