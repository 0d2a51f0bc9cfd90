"""What the benchmark of peers decides, without processes and clocks."""
import unittest

import bench_path  # pylint: disable=unused-import
import decide


class Figures(unittest.TestCase):
    def test_the_median_of_an_even_number_of_runs_lies_between_the_middle_two(self):
        self.assertEqual(decide.median([4, 1, 3, 2]), 2.5)

    def test_nothing_has_no_median_and_no_range(self):
        self.assertIsNone(decide.median([]))
        self.assertIsNone(decide.span([]))

    def test_a_range_is_least_median_and_most(self):
        self.assertEqual(decide.span([3, 9, 1]), (1, 3, 9))

    def test_a_ratio_to_nothing_is_none(self):
        self.assertEqual(decide.ratio(6, 3), 2)
        self.assertIsNone(decide.ratio(6, 0))
        self.assertIsNone(decide.ratio(None, 3))

    def test_a_percentile_that_lies_above_all_samples_is_none(self):
        self.assertIsNone(decide.percentile(range(99), 99))
        self.assertEqual(decide.percentile(range(100), 99), 99)
        self.assertEqual(decide.percentile(range(1000), 99), 990)
        self.assertEqual(decide.percentiles([5.0, 1.0, 3.0]), {"p50": 3.0, "p99": None, "p99.9": None})


class Rates(unittest.TestCase):
    def test_the_first_tenth_of_a_drain_does_not_count(self):
        slow_start = [0] + [10_000_000_000 + n * 1_000_000 for n in range(1, 100)]
        self.assertAlmostEqual(decide.steady_rate(slow_start), 1000.0)

    def test_the_order_of_the_starts_does_not_matter(self):
        self.assertAlmostEqual(decide.steady_rate([n * 1_000_000 for n in reversed(range(100))]), 1000.0)

    def test_a_single_start_has_no_rate(self):
        self.assertIsNone(decide.steady_rate([7]))
        self.assertIsNone(decide.steady_rate([]))

    def test_jobs_are_whole_bulks_between_least_and_most(self):
        self.assertEqual(decide.jobs_for(10.0, 2.0, 100, 5000), 100)
        self.assertEqual(decide.jobs_for(812.0, 2.0, 100, 5000), 1624)
        self.assertEqual(decide.jobs_for(1234.5, 2.0, 100, 5000), 2000)
        self.assertEqual(decide.jobs_for(1e6, 2.0, 100, 5000), 5000)

    def test_half_load_is_half_of_what_both_sides_do_at_once(self):
        self.assertEqual(decide.half_load(10_000, 4000), 1428)
        self.assertEqual(decide.half_load(10_000, None), 5000)
        self.assertEqual(decide.half_load(1e6, 1e6), 50_000)
        self.assertEqual(decide.half_load(None, None), 1)


class Waiting(unittest.TestCase):
    def test_slow_peers_are_waited_for_as_long_as_jobs_run(self):
        self.assertFalse(decide.given_up(without_progress=2, waited=50, deadline=20))

    def test_what_does_not_run_is_given_up(self):
        self.assertTrue(decide.given_up(without_progress=21, waited=30, deadline=20))

    def test_nothing_is_waited_for_without_end(self):
        self.assertTrue(decide.given_up(without_progress=0, waited=81, deadline=20))


class Delivery(unittest.TestCase):
    def test_each_once_is_exact(self):
        found = decide.delivery(bytearray([1, 1, 1, 0, 0]), 3)
        self.assertTrue(decide.exact(found))
        self.assertEqual(decide.sentence(found), "each of 3 jobs ran once")

    def test_a_lost_job_is_named(self):
        found = decide.delivery(bytearray([1, 0, 1, 0]), 3)
        self.assertFalse(decide.exact(found))
        self.assertEqual(decide.sentence(found), "of 3 jobs 1 lost (job 1)")

    def test_a_doubled_job_is_named(self):
        found = decide.delivery(bytearray([1, 1, 3]), 3)
        self.assertEqual(decide.sentence(found), "of 3 jobs 1 ran twice or more (job 2)")

    def test_a_loss_does_not_hide_behind_a_double(self):
        found = decide.delivery(bytearray([2, 0]), 2)
        self.assertEqual((found["lost"], found["doubled"]), (1, 1))

    def test_a_job_that_nobody_enqueued_counts_as_doubled(self):
        found = decide.delivery(bytearray([1, 0, 1]), 1)
        self.assertEqual((found["lost"], found["doubled"], found["first_doubled"]), (0, 1, [2]))


class Noise(unittest.TestCase):
    def test_what_others_used_is_a_share_of_all_cores(self):
        self.assertAlmostEqual(decide.noise(busy_seconds=3.0, own_seconds=2.0, elapsed=5.0, cores=2), 0.1)

    def test_ticks_that_fall_to_us_are_no_noise(self):
        self.assertEqual(decide.noise(2.0, 2.01, 5.0, 2), 0.0)

    def test_a_noisy_run_is_repeated_once(self):
        self.assertTrue(decide.again(0.06, repeated=False, repeats_left=1))
        self.assertFalse(decide.again(0.06, repeated=True, repeats_left=1))

    def test_a_quiet_run_is_not_repeated_nor_one_without_repeats_left(self):
        self.assertFalse(decide.again(0.04, repeated=False, repeats_left=9))
        self.assertFalse(decide.again(0.5, repeated=False, repeats_left=0))


class Placement(unittest.TestCase):
    def test_with_enough_processors_each_has_its_own(self):
        self.assertEqual(decide.placement({4, 5, 6, 7}, 2), {"server": [4], "workers": [[5], [6]], "client": [7]})

    def test_on_two_the_server_has_one(self):
        self.assertEqual(decide.placement({0, 1}, 1), {"server": [0], "workers": [[1]], "client": [1]})

    def test_two_workers_on_two_share_both(self):
        self.assertEqual(decide.placement({0, 1}, 2), {"server": [0], "workers": [[0, 1], [0, 1]], "client": [0, 1]})

    def test_one_processor_serves_all(self):
        self.assertEqual(decide.placement({3}, 1), {"server": [3], "workers": [[3]], "client": [3]})


class Order(unittest.TestCase):
    def test_ours_and_theirs_take_turns(self):
        self.assertEqual(decide.order(["a", "b"], 2, 1),
                         [(0, None), (0, "a"), (0, None), (0, "b"), (1, None), (1, "a"), (1, None), (1, "b")])

    def test_ours_may_come_less_often(self):
        self.assertEqual(decide.order(["a", "b", "c"], 1, 2), [(0, None), (0, "a"), (0, "b"), (0, None), (0, "c")])

    def test_ours_alone(self):
        self.assertEqual(decide.order([], 2, 1), [(0, None), (1, None)])


if __name__ == "__main__":
    unittest.main()
