#!/usr/bin/env python3
"""check_service.py SERVICE WORKER: asks the service to count the words of a text, and for the result, until it is there."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from processes import finish, start


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def require(holds, what):
    if not holds:
        raise SystemExit(f"check_service: {what}")


def check(address):
    status, accepted = ask(address + "/texts", {"text": "one two three"})
    require(status == 202, f"a text is accepted, not {status}")
    deadline = time.monotonic() + 60
    found = {}
    while found.get("state") != "succeeded" and time.monotonic() < deadline:
        status, found = ask(f"{address}/texts/{accepted['id']}")
        require(status == 200, f"a text is found, not {status}")
        time.sleep(0.05)
    require(found.get("words") == 3, f"it has three words: {found}")
    require(ask(address + "/texts/none")[0] == 404, "another id is not found")
    require(ask(address + "/texts", {"text": 5})[0] == 422, "a number is not a text")


def main(service_program, worker_program):
    environment = {k: v for k, v in os.environ.items() if k != "QUARQ_BROKER"}
    with tempfile.TemporaryDirectory(prefix="quarq-example-") as folder:
        worker = start([os.path.abspath(worker_program)], cwd=folder, env=environment)
        service = start([os.path.abspath(service_program), "--port", "0"], cwd=folder, env=environment,
                        stderr=subprocess.PIPE, text=True)
        address = re.search(r"listening on (\S+)", service.stderr.readline())
        require(address, "the service names its port")
        check(address[1])
        for program in (service, worker):
            program.send_signal(signal.SIGTERM)
            _, code = finish(program, 60)
            require(code == 0, f"exit code {code} after SIGTERM")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
