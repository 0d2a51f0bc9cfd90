"""What is made of results of growth, of the levels and of bullmq-bench's scenarios: tables, plots, and whether they are up to
date."""
import sys
import unittest
import xml.etree.ElementTree

import bench_path

sys.path[:0] = [str(bench_path.ROOT / "bench"), str(bench_path.ROOT / "bench/growth")]
# pylint: disable=wrong-import-position
import lines
import pages
import series

MACHINE = {"date": "2026-01-31", "machine": {"processor": "x", "cores": 2, "memory_gib": 4.0, "kernel": "6.1.0-1", "hypervisor": True}}


def growth_results():
    figures = {"10000": {"drain, CPU us a job": 4.0, "enqueue, us a job": 2.0},
               "1000000": {"drain, CPU us a job": 5.0, "enqueue, us a job": 2.0}}
    return {**MACHINE, "series": {"queued": {"redis": figures, "sqlite": {"10000": {"drain, CPU us a job": 9.0}}}}}


class Shape(unittest.TestCase):
    def test_growth_is_the_last_as_a_multiple_of_the_first(self):
        self.assertEqual(series.growth([(1, 2.0), (10, 3.0), (100, 5.0)]), 2.5)
        self.assertIsNone(series.growth([(1, 2.0)]))

    def test_what_is_flat_or_logarithmic_is_not_worse(self):
        self.assertFalse(series.worse_than_logarithmic([(1, 10.0), (10, 10.4), (1000, 9.9)]))
        self.assertFalse(series.worse_than_logarithmic([(1, 10.0), (10, 14.0), (100, 18.0), (1000, 22.0)]))

    def test_what_is_linear_is_worse(self):
        self.assertTrue(series.worse_than_logarithmic([(1, 10.0), (10, 19.0), (100, 109.0)]))


class Elapsed(unittest.TestCase):
    def test_times_that_others_can_lengthen_are_told_from_those_of_the_processor(self):
        for figure in ("drain, us a job", "round trip, us", "enqueue deferred, us a job", "a result, us"):
            self.assertTrue(series.is_elapsed(figure), figure)
        for figure in ("drain, CPU us a job", "stored bytes a job", "idle, server CPU %", "a result, CPU us"):
            self.assertFalse(series.is_elapsed(figure), figure)


class Growth(unittest.TestCase):
    def test_the_table_has_a_row_for_each_figure_and_store(self):
        text = pages.Growth(growth_results()).block("queued")
        self.assertIn("| jobs in the queue | 10,000 | 1,000,000 | last : first |", text)
        self.assertIn("| drain, CPU µs a job, Redis | 4.00 | 5.00 | 1.25 × |", text)
        self.assertIn("| drain, CPU µs a job, SQLite | 9.00 |  |  |", text)

    def test_what_was_not_measured_is_said(self):
        self.assertEqual(pages.Growth(growth_results()).block("kept"), "It was not measured in these results.")

    def test_plots_are_well_formed_and_more_is_higher(self):
        image = pages.Growth(growth_results()).images()["growth_queued.svg"]
        dots = [dot for dot in xml.etree.ElementTree.fromstring(image).iter("{http://www.w3.org/2000/svg}circle")]
        heights = [float(dot.get("cy")) for dot in dots]
        self.assertEqual(len(heights), 3)
        self.assertGreater(heights[0], heights[1])
        self.assertLess(heights[2], heights[0])

    def test_the_axis_begins_at_nothing_and_has_round_numbers(self):
        self.assertEqual(lines.ticks(9.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0])
        self.assertEqual(lines.ticks(450.0), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0])

    def test_what_was_measured_has_a_block_and_points_grow(self):
        text = (pages.ROOT / "docs/growth.md").read_text(encoding="utf-8")
        for name in (pages.newest("growth") or {"series": []})["series"]:
            self.assertIn(f"<!-- growth: {name} -->", text)
        for of in series.SERIES.values():
            self.assertEqual(list(of.points), sorted(of.points))


class Others(unittest.TestCase):
    def test_our_levels_are_the_ones_that_are_compared(self):
        made = pages.Levels({**MACHINE, "figures": [
            {"group": "threads", "what": "thread_pool", "value": 9e6, "unit": "tasks/s", "note": "2 x TBB"},
            {"group": "threads", "what": "TBB", "value": 4.5e6, "unit": "tasks/s", "note": ""},
            {"group": "queues", "what": "a pipe", "value": 1.0, "unit": "us", "note": ""}]})
        self.assertIn("| **thread_pool** | 9,000,000 tasks/s |\n| TBB | 4,500,000 tasks/s |", made.block("threads"))
        self.assertNotIn("pipe", made.block("threads"))

    def test_scenarios_have_medians_ranges_and_the_ratio(self):
        runs = [{"quarq": {"queue-add": value}, "BullMQ": {"queue-add": value / 10}} for value in (1000.0, 3000.0, 2000.0)]
        made = pages.Scenarios({**MACHINE, "bullmq": "5.0", "runs": runs})
        self.assertIn("| queue-add | 2,000 (1,000–3,000) | 200 (100–300) | 10.0 × |", made.block("scenarios"))

    def test_only_blocks_of_this_kind_are_made_anew(self):
        text = "<!-- bench: x -->\nold\n<!-- end -->\n<!-- growth: machine -->\nold\n<!-- end -->\n"
        made = pages.Growth(growth_results())
        self.assertEqual(pages.filled(text, "growth", made, "x.md"),
                         text.replace("machine -->\nold", "machine -->\n2026-01-31: 2 cores of a virtual machine (x, 4 GiB), Linux 6.1.0.\n"
                                      "What did not belong to a run had 0% of the machine in the median."))


class Repository(unittest.TestCase):
    def test_the_pages_are_made_from_the_newest_results(self):
        if not any(pages.newest(kind) for kind in pages.KINDS):
            self.skipTest("there are no results yet")
        self.assertEqual(pages.main(["--check"]), 0, "run bench/pages.py")


if __name__ == "__main__":
    unittest.main()
