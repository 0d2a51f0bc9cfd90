"""The benchmark of peers itself, with python-arq on a private Redis, for seconds: it measures, and it finds what was lost or
doubled. ./dev test has installed arq; without it this is skipped, but in CI it fails."""
import dataclasses
import os
import pathlib
import shutil
import sys
import unittest

import bench_path
import decide
import peers
import processes
import scenario

PYTHON = bench_path.ROOT / "build/arq/newest/bin/python"
DRIVER = pathlib.Path(__file__).resolve().parent / "planted_peer.py"
PLAN = dataclasses.replace(scenario.SMOKE, parts=("enqueue", "drain", "ask"))


class Planted(peers.Peer):
    """arq with the fault in PLANT."""

    def command(self):
        return [PYTHON, "-B", DRIVER]


def measured(plant, plan=PLAN):
    os.environ["PLANT"] = plant
    return scenario.Run(Planted("arq", "pip", "redis"), "fast", plan, {}).measure()


class Smoke(unittest.TestCase):
    def test_a_sound_run_is_exact_and_has_its_figures(self):
        run = measured("none:0", scenario.SMOKE)
        self.assertTrue(decide.exact(run["delivery"]), decide.sentence(run["delivery"]))
        for figure in ("enqueue, one", "enqueue, in_flight", "drain", "drain by two", "worker memory, MB", "stored bytes a job",
                       "round trip, p50, us", "enqueue to start, idle, p50, us"):
            self.assertGreater(run["figures"][figure], 0, figure)

    def test_a_planted_loss_is_found(self):
        plan = dataclasses.replace(PLAN, deadline=8.0)
        self.assertRegex(decide.sentence(measured("lose:17", plan)["delivery"]), r"^of \d+ jobs 1 lost \(job 17\)$")

    def test_a_planted_double_is_found(self):
        self.assertRegex(decide.sentence(measured("double:21")["delivery"]), r"^of \d+ jobs 1 ran twice or more \(job 21\)$")

    def test_nothing_is_left_running(self):
        measured("none:0")
        self.assertEqual(processes.tree(os.getpid()), [os.getpid()])


if __name__ == "__main__":
    if not PYTHON.exists() or not shutil.which("redis-server"):
        print("python-arq is not in build/arq, or there is no redis-server")
        sys.exit(1 if os.environ.get("CI") else 77)
    processes.adopt_orphans()
    unittest.main()
