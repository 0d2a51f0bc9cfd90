#!/usr/bin/env python3
"""check_output.py SOURCE PROGRAM [--worker PROGRAM]: runs an example, and compares what it prints with the comment
"// It prints:" at the end of its source. What stands there in <> differs from run to run, a time for example: any
text of one line may be in its place. With --worker, that program runs beside it. Both run in a folder of their own,
with the broker that is the default there."""
import os
import re
import signal
import subprocess
import sys
import tempfile

from processes import finish, start

HEADING = "// It prints:\n"


def expected_output(source):
    with open(source, encoding="utf-8") as file:
        _, heading, comment = file.read().partition(HEADING)
    if not heading:
        raise SystemExit(f"{source}: there is no comment \"{HEADING.strip()}\" at its end")
    return "".join(line.removeprefix("//").removeprefix("   ") for line in comment.splitlines(keepends=True))


def is_as_expected(output, expected):
    parts = [re.escape(part) for part in re.split(r"<[^<>\n]+>", expected)]
    return re.fullmatch("[^\n]+?".join(parts), output) is not None


def main(source, program, worker_program=None):
    expected = expected_output(source)
    environment = {k: v for k, v in os.environ.items() if k != "QUARQ_BROKER"}
    with tempfile.TemporaryDirectory(prefix="quarq-example-") as folder:
        worker = worker_program and start([os.path.abspath(worker_program)], cwd=folder, env=environment)
        example = start([os.path.abspath(program)], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        output, code = finish(example, 60)
        worker_code = 0
        if worker:
            worker.send_signal(signal.SIGTERM)
            _, worker_code = finish(worker, 60)
        print(output, end="")
        if code != 0:
            raise SystemExit(f"{program}: exit code {code}")
        if worker_code != 0:
            raise SystemExit(f"{worker_program}: exit code {worker_code} after SIGTERM")
        if not is_as_expected(output, expected):
            raise SystemExit(f"this is not what {source} promises at its end:\n{expected}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) == 4 and arguments[2] == "--worker":
        main(arguments[0], arguments[1], arguments[3])
    elif len(arguments) == 2:
        main(*arguments)
    else:
        raise SystemExit(__doc__)
