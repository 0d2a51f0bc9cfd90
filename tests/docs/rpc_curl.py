#!/usr/bin/env python3
"""rpc_curl.py PAGE BUILD: runs the `$ curl` lines of docs/rpc.md and compares what they print.

Those for port 8080 go to the example's server, those for 8090 to `quarq gateway` with the worker of 01_hello. What
differs from run to run does not count: ids and times, and what the page leaves out as "...".
"""

import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/tests"))
from processes import finish, start  # noqa: E402

COMMAND = re.compile(r"^    \$ (curl .*)\n((?:    (?!\$ ).*\n)*)", re.M)
ID = r"[0-9A-HJKMNP-TV-Z]{26}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
PARTS = re.compile(rf"(?P<id>{ID})|(?P<time>{TIME})|(?P<rest>\.\.\.)|(?P<space>\s+)")


def pattern_of(printed):
    """The page's text as a regular expression."""
    parts, at = [], 0
    for found in PARTS.finditer(printed):
        parts.append(re.escape(printed[at:found.start()]))
        parts.append({"id": ID, "time": TIME, "rest": ".*", "space": r"\s+"}[found.lastgroup])
        at = found.end()
    return "".join(parts) + re.escape(printed[at:])


def listening(program, **options):
    process = start(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    for line in process.stdout:
        found = re.search(r"listening on http://(\S+)", line)
        if found:
            return process, found[1]
    raise SystemExit(f"{program[0]} ended without saying where it listens")


def main(page, build):
    commands = COMMAND.findall(pathlib.Path(page).read_text(encoding="utf-8"))
    if len(commands) < 7:
        raise SystemExit(f"{page} has {len(commands)} curl examples only")
    programs = pathlib.Path(build).resolve() / "bin"
    with tempfile.TemporaryDirectory(prefix="quarq-docs-") as folder:
        server, rpc = listening([programs / "example-rpc-server", "--port", "0"])
        gateway, jobs = listening([programs / "quarq", "gateway", "--port", "0", "--broker", "sqlite:jobs.db"],
                                  cwd=folder)
        worker = start([programs / "hello-worker", "--broker", "sqlite:jobs.db"], cwd=folder,
                       stderr=subprocess.DEVNULL)
        job = None
        for command, printed in commands:
            command = command.replace("localhost:8080", rpc).replace("localhost:8090", jobs)
            if job:
                command = re.sub(ID, job, command)
            ran = subprocess.run(["curl", "-sS", "--max-time", "60", *shlex.split(command)[1:]], check=True,
                                 capture_output=True, text=True)
            wanted = pattern_of(printed.strip())
            if not re.fullmatch(wanted, ran.stdout.strip(), re.S):
                raise SystemExit(f"$ {command}\nprinted\n{ran.stdout}\nand not\n{printed}")
            job = job or (re.search(ID, ran.stdout) or [None])[0]
        for process in (server, gateway, worker):
            process.send_signal(signal.SIGTERM)
            _, code = finish(process, 60)
            if code != 0:
                raise SystemExit(f"{process.args[0]}: exit code {code} after SIGTERM")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
