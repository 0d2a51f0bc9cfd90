#!/usr/bin/env python3
"""check_demo.py QUARQ_DEMO sqlite|redis: runs the whole demo, on a private redis-server if asked, and checks what it
shows: the right number of words for each page, the slow page after the kill, and its last lines.

check_demo.py QUARQ_DEMO interrupted: presses Ctrl-C in the middle of it, and checks that nothing is left."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

from processes import finish, redis_server, start

PAGES = pathlib.Path(__file__).resolve().parent.parent / "demo" / "pages"


def check(output, last_line):
    for page in sorted(PAGES.iterdir()):
        words = len(page.read_text(encoding="utf-8").split())
        if not re.search(rf"http://127\.0\.0\.1:\d+/{page.name} has {words} words \(try 1, ", output):
            raise SystemExit(f"no line says that {page.name} has {words} words")
    if not re.search(r"/slow/\S+ has \d+ words \(try 1, ", output):
        raise SystemExit("no line says that the slow page was counted")
    if not re.search(r"finished in worker 2, \d+\.\d s after the kill", output):
        raise SystemExit("no line says how long after the kill the job finished")
    *_, answered, hint = output.rstrip("\n").splitlines()
    if not re.fullmatch(r"All five jobs were answered, one of them in spite of kill -9\. It took \d+ s\.", answered):
        raise SystemExit(f"this is not the line before the last: {answered}")
    if hint.strip() != last_line:
        raise SystemExit(f"this is not the last line: {hint}")


def start_demo(arguments, folder):
    return start(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                 env={**os.environ, "TMPDIR": folder})


def processes_of(demo):
    mark = f"QUARQ_DEMO_PARENT={demo.pid}".encode()
    found = []
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is another user's
            if mark in environment.read_bytes().split(b"\0"):
                found.append(environment.parent.name)
    return found


def finish_demo(demo, folder, expected_code):
    output, code = finish(demo, 100)
    print(output, end="")
    if code != expected_code:
        raise SystemExit(f"quarq-demo: exit code {code} instead of {expected_code}")
    left = [name for name in os.listdir(folder) if name.startswith("quarq-demo")] + processes_of(demo)
    if left:
        raise SystemExit(f"the demo has left behind {left}")
    return output


def run(arguments, last_line, folder):
    check(finish_demo(start_demo(arguments, folder), folder, 0), last_line)


def interrupt(program, folder):
    demo = start_demo([program], folder)
    for line in demo.stdout:
        print(line, end="")
        if "It is dead" in line:
            break
    if not processes_of(demo):
        raise SystemExit("no process of the demo can be seen, so none can be missed")
    demo.send_signal(signal.SIGINT)
    if not finish_demo(demo, folder, 130).endswith("interrupted; all its processes have ended\n"):
        raise SystemExit("the demo did not say that it was interrupted")


def main(demo, where):
    with tempfile.TemporaryDirectory(prefix="quarq-demo-test-") as folder:
        if where == "interrupted":
            interrupt(demo, folder)
            return
        if where == "sqlite":
            run([demo], "The same on Redis: ./dev demo --broker redis://127.0.0.1:6379", folder)
            return
        with redis_server(folder) as socket:
            run([demo, "--broker", f"redis+unix://{socket}"], "The same on a file, without any server: ./dev demo", folder)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("sqlite", "redis", "interrupted"):
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])
