#!/usr/bin/env python3
"""check_arq.py WORKER PRODUCER: a Python producer and a C++ worker on a private redis-server; the producer must print
the number of words that the worker has counted."""
import subprocess
import sys
import tempfile

from processes import finish, redis_server, start


def main(worker, producer):
    with tempfile.TemporaryDirectory(prefix="quarq-example-") as folder, redis_server(folder) as socket:
        serving = start([worker, "--broker", f"arq+unix://{socket}"])
        # Debian's Python, which has python3-redis, whatever else is first on the PATH.
        asking = start(["/usr/bin/python3", "-B", producer, f"unix://{socket}"], stdout=subprocess.PIPE, text=True)
        output, code = finish(asking, 60)
        serving.terminate()
        finish(serving, 60)
        if (output, code) != ("6 words\n", 0):
            raise SystemExit(f"the producer printed {output!r} and ended with {code}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])
