#!/usr/bin/env python3
"""check_thumbnails.py SOURCE CLIENT WORKER: the thumbnail service on a SQLite file and on a private redis-server, which
must print what stands at the end of SOURCE; then Ctrl-C while there is no worker, which must end the client."""
import os
import signal
import subprocess
import sys
import tempfile

from check_output import expected_output, is_as_expected
from processes import finish, redis_server, start


def serve(client, worker, folder, broker):
    environment = {**os.environ, "QUARQ_BROKER": broker}
    serving = start([worker], cwd=folder, env=environment)
    asking = start([client], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    output, code = finish(asking, 60)
    serving.send_signal(signal.SIGTERM)
    _, worker_code = finish(serving, 60)
    print(output, end="")
    if (code, worker_code) != (0, 0):
        raise SystemExit(f"{broker}: the client ended with {code}, the worker with {worker_code}")
    return output


def interrupt(client, folder):
    environment = {**os.environ, "QUARQ_BROKER": "sqlite:nobody.db"}
    asking = start([client], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    asking.stdout.readline()
    asking.send_signal(signal.SIGINT)
    _, code = finish(asking, 60)
    if code != 128 + signal.SIGINT:
        raise SystemExit(f"Ctrl-C: the client ended with {code}")


def main(source, client, worker):
    expected = expected_output(source)
    client, worker = os.path.abspath(client), os.path.abspath(worker)
    with tempfile.TemporaryDirectory(prefix="quarq-example-") as folder, redis_server(folder) as socket:
        for broker in ("sqlite:jobs.db", f"redis+unix://{socket}"):
            if not is_as_expected(serve(client, worker, folder, broker), expected):
                raise SystemExit(f"{broker}: this is not what {source} promises at its end:\n{expected}")
        if not os.path.exists(os.path.join(folder, "sea.ppm.small")):
            raise SystemExit("there is no thumbnail")
        interrupt(client, folder)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
