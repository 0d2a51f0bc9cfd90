"""Flags of the benchmarks."""
import argparse
import unittest

import bench_path  # pylint: disable=unused-import
import flags


class AtLeast(unittest.TestCase):
    def test_takes_what_is_large_enough(self):
        self.assertEqual(flags.at_least(1)("1"), 1)
        self.assertEqual(flags.at_least(0, float)("0.5"), 0.5)

    def test_refuses_the_rest_and_names_it(self):
        for least, kind, text in ((1, int, "0"), (1, int, "-3"), (1, int, "1.5"), (1, int, ""), (0, float, "nan"),
                                  (0, float, "-0.1")):
            with self.assertRaisesRegex(argparse.ArgumentTypeError, f"of at least {least}: '{text}'$"):
                flags.at_least(least, kind)(text)


if __name__ == "__main__":
    unittest.main()
