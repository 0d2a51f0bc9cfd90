#!/usr/bin/env python3
"""readme.py README BUILD WORK: does what README says of its first programs, and compares what comes of it.

Its `// complete: NAME` blocks and its CMake lines become a project that uses the quarq of the build tree BUILD, as
installed into WORK. "Start `WORKER` in one terminal and `CLIENT` in another, which prints `TEXT`" is done in both
orders, twice each in one folder.
"""

import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/tests"))
from processes import finish, start  # noqa: E402

TIMEOUT = 60  # seconds, for whatever has to happen
PROGRAM = re.compile(r"^```cpp\n// complete: (\S+)\n(.*?)^```$", re.M | re.S)
CMAKE = re.compile(r"^```cmake\n(find_package\(quarq.*?)^```$", re.M | re.S)
START = re.compile(r"Start `(?P<worker>[^`]+)` in one terminal and `(?P<client>[^`]+)` in another,\s+which\s+prints\s+"
                   r"`(?P<printed>[^`]+)`")


def only(found, what):
    if len(found) != 1:
        raise SystemExit(f"README has {len(found)} of these, not one: {what}")
    return found[0]


def build_programs(text, build, work):
    installed, source = work / "installed", work / "source"
    shutil.rmtree(work, ignore_errors=True)
    source.mkdir(parents=True)
    subprocess.run(["cmake", "--install", build, "--prefix", installed], check=True, stdout=subprocess.DEVNULL)
    for name, code in PROGRAM.findall(text):
        (source / name).write_text(code, encoding="utf-8")
    (source / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(hello LANGUAGES CXX)\nadd_executable(worker worker.cpp)\n"
        "add_executable(client client.cpp)\n" + only(CMAKE.findall(text), "```cmake, find_package(quarq"))
    programs = work / "programs"
    subprocess.run(["cmake", "-S", source, "-B", programs, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed}"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", programs], check=True, stdout=subprocess.DEVNULL)
    return programs


class Terminal:
    """A command that has been started."""

    def __init__(self, command, folder):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("QUARQ_")}
        self.command = command
        self.process = start(command.split(), cwd=folder, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)

    def expect(self, printed):
        output, code = finish(self.process, TIMEOUT)
        if code != 0 or output != printed:
            raise SystemExit(f"{self.command}: exit code {code}, and it printed\n{output}and not\n{printed}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        output, code = finish(self.process, TIMEOUT)
        if code != 0:
            raise SystemExit(f"{self.command}: exit code {code} after SIGTERM; it printed\n{output}")


def wait_for_line(terminal, text):
    for line in terminal.process.stdout:
        if text in line:
            return
    raise SystemExit(f"{terminal.command} ended without a line with \"{text}\"")


def worker_first(said, folder):
    worker = Terminal(said["worker"], folder)
    wait_for_line(worker, " serves ")
    Terminal(said["client"], folder).expect(said["printed"] + "\n")
    worker.stop()


def client_first(said, folder):
    client = Terminal(said["client"], folder)
    deadline = time.monotonic() + TIMEOUT
    while not has_queued_job(folder / "jobs.db"):
        if client.process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{said['client']} enqueued nothing, or did not wait for a worker")
        time.sleep(0.02)
    worker = Terminal(said["worker"], folder)
    client.expect(said["printed"] + "\n")
    worker.stop()


def has_queued_job(file):
    try:
        with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM quarq_jobs WHERE state = 0").fetchone()[0] > 0
    except sqlite3.OperationalError:  # the client has not made it yet
        return False


def main(readme, build, work):
    text = readme.read_text(encoding="utf-8")
    programs = build_programs(text, build, work)
    start_line = START.search(text)
    if not start_line:
        raise SystemExit("README does not say: Start `WORKER` in one terminal and `CLIENT` in another, which prints `TEXT`")
    for order in (worker_first, client_first, worker_first, client_first):
        order(start_line, programs)
        print(f"{order.__name__}: {start_line['client']} printed {start_line['printed']}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:]))
