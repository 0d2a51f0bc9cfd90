#!/usr/bin/env python3
"""./dev bench --compare OLD.json [NEW.json]: prints the ratio of each figure. Both are of ./dev bench peers, or both what
./dev bench ... --json printed. NEW is the newest in bench/results if it is not named."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import summary

RESULTS = pathlib.Path(__file__).resolve().parent.parent / "results"


def main(words):
    if not 1 <= len(words) <= 2:
        raise SystemExit(__doc__)
    newest = sorted(RESULTS.glob("*.json"))
    new = words[1] if len(words) == 2 else newest[-1] if newest else None
    if new is None:
        raise SystemExit("bench: there are no results in bench/results to compare with")
    old_data, new_data = summary.load(words[0]), summary.load(new)
    if isinstance(old_data, list) != isinstance(new_data, list):
        raise SystemExit(f"bench: {words[0]} and {new} are not of the same benchmark")
    print(f"{words[0]}, {new}, new / old")
    print("\n".join(summary.compare(old_data, new_data)))


if __name__ == "__main__":
    main(sys.argv[1:])
