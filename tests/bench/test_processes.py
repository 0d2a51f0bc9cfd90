"""The benchmark's processes end with it."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import bench_path
import servers

DEADLINE = 10
BENCHMARK = """
import sys, time
sys.path.insert(0, sys.argv[1])
import processes
processes.adopt_orphans()
try:
    started = processes.Process(["sh", "-c", "sleep 600 & echo $! && wait"], [0], sys.argv[2])
    time.sleep(600)
finally:
    processes.reap_orphans()
"""


def is_there(pid):
    return pathlib.Path(f"/proc/{pid}").exists()


class Ended(unittest.TestCase):
    def test_a_benchmark_that_is_to_end_takes_all_along(self):
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            with tempfile.TemporaryDirectory() as folder:
                said = pathlib.Path(folder) / "said"
                with subprocess.Popen([sys.executable, "-B", "-c", BENCHMARK, bench_path.ROOT / "bench/peers", said],
                                      stderr=subprocess.DEVNULL) as benchmark:
                    servers.wait_for("the benchmark", lambda: said.exists() and said.read_text(encoding="ascii").endswith("\n"))
                    grandchild = int(said.read_text(encoding="ascii"))
                    self.assertTrue(is_there(grandchild))
                    os.kill(benchmark.pid, signal_number)
                    benchmark.wait(DEADLINE)
                servers.wait_for("the end of what it had started", lambda: not is_there(grandchild))


if __name__ == "__main__":
    unittest.main()
