"""What ./dev instructions makes of callgrind's profiles and of what is recorded."""
import sys
import unittest

import bench_path

sys.path.insert(0, str(bench_path.ROOT / "bench/instructions"))
# pylint: disable=wrong-import-position
import instructions

PROFILE = """# callgrind format
creator: callgrind-3.19.0
desc: Timerange: Basic block 0 - 127788
desc: Trigger: Client Request: redis: claim

events: Ir
summary: 600019

fn=(528) main
58 600019
totals: 600019
"""


class Profiles(unittest.TestCase):
    def test_a_profile_names_its_path_and_count(self):
        self.assertEqual(instructions.trigger_and_count(PROFILE), ("redis: claim", 600019))

    def test_the_profile_of_the_end_does_not_count(self):
        self.assertIsNone(instructions.trigger_and_count(PROFILE.replace("Client Request: redis: claim", "Program termination")))

    def test_the_median_of_all_walks_counts(self):
        found = instructions.middle([("a", 30, "p1"), ("a", 10, "p2"), ("b", 5, "p3"), ("a", 20, "p4")])
        self.assertEqual(found, {"a": (20, "p4"), "b": (5, "p3")})


class Comparison(unittest.TestCase):
    def test_three_percent_more_are_allowed(self):
        self.assertEqual(instructions.compare({"a": 1000}, {"a": 1030})[1:], ([], False))

    def test_a_path_that_grew_is_named_with_how_much_and_where_to_look(self):
        _, wrong, _ = instructions.compare({"redis: claim": 1000, "b": 7}, {"redis: claim": 1050, "b": 7})
        self.assertEqual(wrong, ["redis: claim: 1,050 instructions, 1,000 are recorded: 5.0 % more, 3 % are allowed; "
                                 "see callgrind_annotate build/instructions/redis-claim.callgrind"])

    def test_fewer_are_to_be_recorded_but_not_wrong(self):
        self.assertEqual(instructions.compare({"a": 1000}, {"a": 900})[1:], ([], True))

    def test_paths_that_came_or_went_are_wrong(self):
        _, wrong, _ = instructions.compare({"gone": 1}, {"new": 2000})
        self.assertEqual(wrong, ["gone: is recorded, and was not counted", "new: 2,000, and nothing is recorded"])

    def test_another_compiler_is_named(self):
        self.assertEqual(instructions.differences({"compiler": "g++ 12.2.0", "glibc": "2.36"},
                                                  {"compiler": "g++ 14.2.0", "glibc": "2.36"}),
                         ["compiler is g++ 14.2.0, not g++ 12.2.0"])
        self.assertEqual(instructions.differences({"a": 1}, {"a": 1}), [])

    def test_the_environment_of_the_program_does_not_depend_on_whose_it_is(self):
        found = instructions.environment_of({"PATH": "/bin", "HOME": "/root", "MALLOC_PERTURB_": "165"})
        self.assertEqual(found, {"PATH": "/bin", "LC_ALL": "C", "LD_BIND_NOW": "1",
                                 "GLIBC_TUNABLES": instructions.ALLOCATOR})


if __name__ == "__main__":
    unittest.main()
