#!/usr/bin/env python3
"""check_rolling_deploy.py SCRIPT WORKER CLIENT: replaces two workers one after the other by the script, while clients
send jobs all the time. Each job has to succeed, and each worker has to be another process afterwards. A small systemctl
of this test's own restarts them as a unit with Type=notify is restarted."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from processes import finish, start

# As systemd does: the old one ends before the new one starts, which has to say READY=1.
SYSTEMCTL = """#!/bin/sh
if [ "$1" = list-units ]; then
  for unit in "$UNITS"/*.service; do echo "$(basename "$unit") loaded active running a worker"; done
else
  echo "$2" >"$UNITS/requests" && read -r answer <"$UNITS/answers" && [ "$answer" = ready ]
fi
"""


class Units:
    """Workers, each with a socket to which it says that it serves."""

    def __init__(self, folder, program, environment):
        self.folder, self.program, self.environment = folder, program, environment
        self.running, self.sockets = {}, {}
        for pipe in ("requests", "answers"):
            os.mkfifo(folder / pipe)

    def start(self, unit):
        (self.folder / unit).touch()
        address = str(self.folder / f"{unit}.notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(address)
        heard = self.sockets[unit] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        heard.settimeout(60)
        heard.bind(address)
        self.running[unit] = start([self.program], cwd=self.folder, env={**self.environment, "NOTIFY_SOCKET": address})
        message = heard.recv(4096)
        if not message.startswith(b"READY=1"):
            raise SystemExit(f"{unit} said {message!r} when it started")

    def restart(self, unit):
        old = self.running[unit]
        old.send_signal(signal.SIGTERM)
        _, code = finish(old, 60)
        if code != 0:
            raise SystemExit(f"{unit}: exit code {code} after SIGTERM")
        self.start(unit)

    def serve(self, count):
        """Does what the script asks for, so many times."""
        for _ in range(count):
            with open(self.folder / "requests", encoding="utf-8") as requests:
                self.restart(requests.readline().strip())
            with open(self.folder / "answers", "w", encoding="utf-8") as answers:
                answers.write("ready\n")


def send_jobs(client, folder, environment, until, codes):
    while not until.is_set() or len(codes) < 3:
        _, code = finish(start([client], cwd=folder, env=environment, stdout=subprocess.DEVNULL), 60)
        codes.append(code)


def main(script, worker, client):
    with tempfile.TemporaryDirectory(prefix="quarq-deploy-") as name:
        folder = pathlib.Path(name)
        (folder / "bin").mkdir()
        (folder / "bin/systemctl").write_text(SYSTEMCTL)
        (folder / "bin/systemctl").chmod(0o755)
        (folder / "units").mkdir()
        environment = {**os.environ, "QUARQ_BROKER": f"sqlite:{folder / 'jobs.db'}", "QUARQ_LOG": "warn"}
        units = Units(folder / "units", worker, environment)
        names = ["quarq-worker@1.service", "quarq-worker@2.service"]
        for unit in names:
            units.start(unit)
        before = {unit: units.running[unit].pid for unit in names}

        done, codes = threading.Event(), []
        sender = threading.Thread(target=send_jobs, args=(client, folder, environment, done, codes))
        sender.start()
        deploy = start([script], stdout=subprocess.PIPE, text=True,
                       env={**environment, "UNITS": str(units.folder), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"})
        units.serve(len(names))
        output, code = finish(deploy, 60)
        done.set()
        sender.join()
        for unit in names:
            units.running[unit].send_signal(signal.SIGTERM)
            finish(units.running[unit], 60)

        print(output, end="")
        print(f"{len(codes)} clients meanwhile")
        if code != 0 or output.splitlines() != [f"restarting {unit}" for unit in names]:
            raise SystemExit(f"the script ended with {code}")
        if any(units.running[unit].pid == before[unit] for unit in names):
            raise SystemExit("a worker was not replaced")
        if not codes or any(codes):
            raise SystemExit(f"clients ended with {codes}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*(os.path.abspath(argument) for argument in sys.argv[1:]))
