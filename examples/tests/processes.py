"""Child processes of the examples' tests: none outlives its test."""
import contextlib
import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _end_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(arguments, **options):
    return subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent,
                            **options)


def finish(process, seconds):
    """Its output and exit code; killed if it takes longer."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise SystemExit(f"{process.args[0]} did not end within {seconds} s; it said:\n{output}")
    return output, process.returncode


@contextlib.contextmanager
def redis_server(folder):
    """A private one; yields the path of its socket."""
    socket = f"{folder}/redis.sock"
    server = start(["redis-server", "--port", 0, "--unixsocket", socket, "--dir", folder, "--appendonly", "yes"],
                   stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not os.path.exists(socket):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("redis-server did not start")
            time.sleep(0.01)
        yield socket
    finally:
        server.terminate()
        server.wait()
