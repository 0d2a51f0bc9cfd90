"""What is made of results: medians, ratios, tables, plots, and the comparison of two files."""
import unittest
import xml.etree.ElementTree

import bench_path  # pylint: disable=unused-import
import page
import plots
import summary


def run(peer, drain, **more):
    return {"round": 1, "peer": peer, "config": "fast", "noise": 0.01, "seconds": 1.0, "load": 0.1,
            "figures": {"drain": drain, "enqueue, in_flight": 10.0, "round trip, p50, us": 250.0, "enqueue, bulk": None},
            "delivery": {"jobs": 1000, "lost": 0, "doubled": 0, "first_lost": [], "first_doubled": []}, **more}


def results(*runs):
    return {"format": 1, "date": "2026-01-31", "quick": False, "recovery_limit": 60, "recovery": {"quarq": 8.04, "slow": None},
            "machine": {"processor": "x", "cores": 2, "memory_gib": 4.0, "kernel": "6.1.0-1-amd64", "hypervisor": True},
            "versions": {"Redis": "7.0.15"}, "skipped": {"gone": "the registry has it not"}, "runs": list(runs),
            "peers": {name: {"version": "1.0", "server": "redis", "fast": "so"} for name in ("quarq", "slow")}}


TWO = results(run("quarq", 300_000.0), run("quarq", 320_000.0), run("quarq", 310_000.0), run("slow", 1000.0),
              run("slow", 3000.0), run("slow", 9999.0, repeated=True))


class Summary(unittest.TestCase):
    def test_repeated_runs_and_missing_figures_do_not_count(self):
        summed = summary.summary(TWO)
        self.assertEqual(summed[("slow", "fast")]["drain"], (1000.0, 2000.0, 3000.0))
        self.assertNotIn("enqueue, bulk", summed[("slow", "fast")])

    def test_comparing_prints_new_over_old(self):
        lines = summary.compare(TWO, results(run("quarq", 155_000.0)))
        self.assertRegex(lines[0], r"^quarq \(fast\): drain +310,000.00 +155,000.00  0.50 x$")
        self.assertEqual(lines[-1], "only in one of the files: 3 figures")

    def test_what_quarq_bench_prints_as_json_can_be_compared(self):
        old, new = ([{"group": "redis", "what": "drain", "value": value, "unit": "jobs/s", "note": ""}] for value in (100, 150))
        self.assertRegex(summary.compare(old, new)[0], r"^redis: drain \(jobs/s\) .* 1.50 x$")


class Tables(unittest.TestCase):
    def test_ratios_refer_to_the_medians_of_the_same_file(self):
        text = page.Page(TWO).readme()
        self.assertIn("| **quarq** | Redis | 310,000 |  |", text)
        self.assertIn("| slow | Redis | 2,000 | 155 × |", text)
        self.assertIn("| 0.250 ms |", text)

    def test_a_wide_range_is_shown(self):
        text = page.Page(TWO).drain()
        self.assertIn("2,000 (1,000–3,000)", text)
        self.assertIn("| 310,000 |", text)

    def test_what_was_not_in_time_is_more_than_the_limit(self):
        self.assertIn("| slow | more than 60 |", page.Page(TWO).recovery())

    def test_inexact_delivery_is_said(self):
        bad = run("slow", 1.0)
        bad["delivery"].update(lost=2, first_lost=[17, 18])
        self.assertIn("- slow (fast): of 1000 jobs 2 lost (job 17)", page.Page(results(bad)).delivery())
        self.assertEqual(page.Page(TWO).delivery(), "Each of the 5,000 jobs of all 5 runs ran exactly once.")

    def test_only_marked_blocks_are_made_anew(self):
        text = "before\n<!-- bench: skipped -->\nold\n<!-- end -->\nafter\n"
        self.assertEqual(page.filled(text, page.Page(TWO), "x.md"),
                         "before\n<!-- bench: skipped -->\n- gone: the registry has it not\n<!-- end -->\nafter\n")

    def test_a_block_without_an_end_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "x.md: \"bench: skipped\" has no end"):
            page.filled("<!-- bench: skipped -->\nold\n", page.Page(TWO), "x.md")


class Repository(unittest.TestCase):
    def test_the_pages_are_made_from_the_newest_results(self):
        if not list(page.RESULTS.glob("*.json")):
            self.skipTest("there are no results yet")
        self.assertEqual(page.main(["--check"]), 0, "run bench/peers/page.py")


class Plots(unittest.TestCase):
    def test_numbers_have_three_digits(self):
        self.assertEqual([plots.in_words(value) for value in (318_765.0, 99.96, 1.234, 0.01234, 0)],
                         ["319,000", "100.0", "1.23", "0.0123", "0"])

    def test_the_axis_spans_whole_decades(self):
        self.assertEqual(list(plots.decades(3.0, 250.0)), [0, 1, 2, 3])
        self.assertEqual(list(plots.decades(1.0, 100.0)), [0, 1, 2, 3])

    def test_plots_are_well_formed_and_longer_bars_are_more(self):
        images = page.Page(TWO).images()
        self.assertIn("bench_drain.svg", images)
        for text in images.values():
            xml.etree.ElementTree.fromstring(text)
        bars = [float(bar.get("width")) for bar in xml.etree.ElementTree.fromstring(images["bench_drain.svg"]).iter(
            "{http://www.w3.org/2000/svg}rect")]
        self.assertGreater(bars[0], bars[1])


if __name__ == "__main__":
    unittest.main()
