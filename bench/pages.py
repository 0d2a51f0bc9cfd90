#!/usr/bin/env python3
"""pages.py [--check]: makes the tables and plots of docs/growth.md and docs/benchmarks.md whose figures are not those of
./dev bench peers (bench/peers/page.py does these): how costs grow, the levels, bullmq-bench's scenarios. Each is made
from the newest results in its folder of bench/results. With --check it only says whether they are up to date."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench/growth"), str(ROOT / "bench/peers")]
# pylint: disable=wrong-import-position
import decide
import lines
import machine
from plots import in_words
from series import NOISE, SERIES, growth

RESULTS = ROOT / "bench/results"
IMAGES = ROOT / "docs/images"
STORES = {"redis": "Redis", "sqlite": "SQLite"}


def table(head, rows):
    numbers = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join(["| " + " | ".join(head) + " |", numbers, *("| " + " | ".join(row) + " |" for row in rows)])


def micro(text):
    return text.replace(" us", " µs")


class Growth:
    """docs/growth.md"""

    pages = ("docs/growth.md",)

    def __init__(self, results):
        self.results = results

    @staticmethod
    def curve(points, figure):
        """[(n, value)] in the order of n."""
        return [(int(n), found[figure]) for n, found in sorted(points.items(), key=lambda item: int(item[0])) if figure in found]

    def about(self):
        shares = [found.get(NOISE, 0) for of_name in self.results["series"].values() for of_store in of_name.values()
                  for found in of_store.values()]
        return (f"{machine.sentence(self.results)}.\n"
                f"What did not belong to a run had {decide.median(shares):.0%} of the machine in the median.")

    def block(self, name):
        if name == "machine":
            return self.about()
        if name not in self.results["series"]:
            return "It was not measured in these results."
        measured = self.results["series"][name]
        points = sorted({int(n) for of_store in measured.values() for n in of_store})
        figures = dict.fromkeys(figure for of_store in measured.values() for found in of_store.values() for figure in found
                                if figure != NOISE)
        rows = []
        for figure in figures:
            for store, of_store in measured.items():
                values = self.curve(of_store, figure)
                if any(value for _, value in values):
                    by_n, times = dict(values), growth(values)
                    rows.append([f"{micro(figure)}, {STORES[store]}", *(in_words(by_n[n]) if n in by_n else "" for n in points),
                                 f"{times:.2f} ×" if times else ""])
        return (f"![{SERIES[name].title}](images/growth_{name}.svg)\n\n" +
                table([SERIES[name].axis, *(f"{n:,}" for n in points), "last : first"], rows))

    def image(self, name):
        series = SERIES[name]
        curves = {STORES[store]: self.curve(points, series.plotted) for store, points in self.results["series"][name].items()}
        return lines.plot(f"{series.title}: {micro(series.plotted)}", machine.sentence(self.results), series.axis,
                          {store: points for store, points in curves.items() if points})

    def images(self):
        return {f"growth_{name}.svg": self.image(name) for name in self.results["series"]}


class Levels:
    """The levels' part of docs/benchmarks.md."""

    pages = ("docs/benchmarks.md",)

    def __init__(self, results):
        self.results = results

    def block(self, name):
        if name == "machine":
            return machine.sentence(self.results) + "."
        found = [figure for figure in self.results["figures"] if figure["group"] == name]
        rows = [[f"**{figure['what']}**" if figure["note"] else figure["what"],
                 f"{in_words(figure['value'])} {figure['unit'].replace('us', 'µs')}"] for figure in found]
        return table([name.replace("_", " "), ""], rows)

    def images(self):
        return {}


class Scenarios:
    """The part of docs/benchmarks.md about bullmq-bench's scenarios."""

    pages = ("docs/benchmarks.md",)

    def __init__(self, results):
        self.results = results

    def block(self, name):
        if name == "machine":
            return (f"{machine.sentence(self.results)};\nBullMQ {self.results['bullmq']}; {len(self.results['runs'])} alternating runs; "
                    f"what did not belong to them had {self.results['noise']:.0%} of the machine.")
        rows = []
        for scenario in self.results["runs"][0]["quarq"]:
            ours, theirs = (decide.span([run[who][scenario] for run in self.results["runs"]]) for who in ("quarq", "BullMQ"))
            rows.append([scenario, *(f"{in_words(of[1])} ({in_words(of[0])}–{in_words(of[2])})" for of in (ours, theirs)),
                         f"{in_words(ours[1] / theirs[1])} ×"])
        return table(["jobs/s", "quarq", "BullMQ", "quarq is"], rows)

    def images(self):
        return {}


KINDS = {"growth": Growth, "levels": Levels, "bullmq": Scenarios}


def filled(text, kind, made, path):
    """The text, with what stands between <!-- KIND: NAME --> and <!-- end --> made anew."""
    parts = text.split(f"<!-- {kind}: ")
    out = [parts[0]]
    for part in parts[1:]:
        name, rest = part.split(" -->", 1)
        if "<!-- end -->" not in rest:
            raise SystemExit(f"{path}: \"{kind}: {name}\" has no end")
        out.append(f"{name} -->\n{made.block(name)}\n<!-- end -->{rest.split('<!-- end -->', 1)[1]}")
    return f"<!-- {kind}: ".join(out)


def newest(kind):
    found = sorted((RESULTS / kind).glob("*.json"))
    return json.loads(found[-1].read_text(encoding="utf-8")) if found else None


def files():
    """{path: what it should hold}"""
    found = {}
    for kind, made_by in KINDS.items():
        if not (results := newest(kind)):
            continue
        made = made_by(results)
        for page in made.pages:
            path = ROOT / page
            found[path] = filled(found.get(path) or path.read_text(encoding="utf-8"), kind, made, path)
        found.update((IMAGES / name, text) for name, text in made.images().items())
    return found


def main(words):
    stale = []
    for path, text in files().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if "--check" not in words:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"pages.py: {'not up to date' if '--check' in words else 'written'}: {', '.join(stale)}")
    return 1 if "--check" in words and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
