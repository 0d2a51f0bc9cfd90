"""What a file of results says: the median and the range of each figure, and how two files compare."""
import json

import decide


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def counted(results):
    """The runs that count: those that were repeated because of noise do not."""
    return [run for run in results["runs"] if not run.get("repeated")]


def summary(results):
    """{(peer, config): {figure: (least, median, most)}}"""
    values = {}
    for run in counted(results):
        figures = values.setdefault((run["peer"], run["config"]), {})
        for name, value in run["figures"].items():
            if value is not None:
                figures.setdefault(name, []).append(value)
    return {key: {name: decide.span(some) for name, some in figures.items()} for key, figures in values.items()}


def middle(summed, peer, config, figure):
    """The median, or None."""
    found = summed.get((peer, config), {}).get(figure)
    return found[1] if found else None


def flat(results):
    """{name: value}, of the benchmark of peers as of quarq-bench --json."""
    if isinstance(results, list):
        return {f"{one['group']}: {one['what']} ({one['unit']})": one["value"] for one in results}
    found = {f"{peer} ({config}): {figure}": span[1] for (peer, config), figures in summary(results).items()
             for figure, span in figures.items()}
    return {**found, **flat(results.get("levels", []))}


def compare(old, new):
    """Lines: each figure that both have, and new / old."""
    before, after = flat(old), flat(new)
    names = [name for name in before if name in after]
    width = max((len(name) for name in names), default=0)
    lines = []
    for name in names:
        times = decide.ratio(after[name], before[name])
        lines.append(f"{name:<{width}}  {before[name]:>14,.2f}  {after[name]:>14,.2f}  "
                     + (f"{times:.2f} x" if times is not None else "-"))
    left = [name for name in before if name not in after] + [name for name in after if name not in before]
    return lines + ([f"only in one of the files: {len(left)} figures"] if left else [])
