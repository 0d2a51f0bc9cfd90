"""What ./dev instructions makes of what a compiler says of itself, and of what is recorded."""
import sys
import unittest

import bench_path

sys.path.insert(0, str(bench_path.ROOT / "bench/instructions"))
# pylint: disable=wrong-import-position
import compiling

REPORT = """
Time variable                                   usr           sys          wall           GGC
 phase setup                        :   0.00 (  0%)   0.00 (  0%)   0.00 (  0%)  1448k ( 47%)
 template instantiation             :   0.00 (  0%)   0.01 ( 50%)   0.02 ( 50%)   931k ( 30%)
 TOTAL                              :   2.02          0.42          2.54          309M
"""
COSTS = {"memory of the compiler, KiB": 1000, "object code, bytes": 200}


class Report(unittest.TestCase):
    def test_the_total_counts(self):
        self.assertEqual(compiling.allocated(REPORT), 309 * 1024 * 1024)
        self.assertEqual(compiling.allocated(REPORT.replace("309M", "3094k")), 3094 * 1024)

    def test_a_compiler_that_says_nothing_is_an_error(self):
        with self.assertRaises(SystemExit):
            compiling.allocated("")


class Comparison(unittest.TestCase):
    def test_three_percent_more_are_allowed(self):
        self.assertEqual(compiling.compare(COSTS, {**COSTS, "object code, bytes": 206}, 500)[1], [])

    def test_what_grew_is_named(self):
        _, wrong = compiling.compare(COSTS, {**COSTS, "memory of the compiler, KiB": 1031}, 500)
        self.assertEqual(wrong, ["a model of ten members: memory of the compiler, KiB: 1,031, 1,000 are recorded, and 3 % more "
                                 "are allowed"])

    def test_memory_at_once_has_a_limit(self):
        _, wrong = compiling.compare(COSTS, COSTS, 701)
        self.assertEqual(wrong, ["41 models of ten members: the compiler needs 701 MB at once, 700 at most"])


class Source(unittest.TestCase):
    def test_each_model_has_a_name_of_its_own(self):
        text = compiling.source_of(2)
        self.assertEqual((text.count("struct model_0 {"), text.count("QUARQ_MODEL(model_1,")), (1, 1))
        self.assertNotIn("@", text)


if __name__ == "__main__":
    unittest.main()
