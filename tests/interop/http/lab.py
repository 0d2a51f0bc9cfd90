"""What the scripts of this folder share: our programs, other people's, raw connections, and the table of probes.

A script ends with 0 if all holds, with 1 and what does not, with SKIPPED and the program that is missing, or with
NOT_ALLOWED where the machine does not let it do what it must.
"""

import atexit
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SKIPPED, NOT_ALLOWED = 77, 78
FOLDER = pathlib.Path(__file__).resolve().parent
DEFAULT_TIMEOUT = 60  # seconds; nothing needs it unless something hangs

_failures = []
_libc = ctypes.CDLL(None)


def check(holds, what):
    """Notes what does not hold; the script goes on."""
    if not holds:
        _failures.append(what)
        print("FAILED: " + what, flush=True)
    return holds


def finish():
    print("ok" if not _failures else f"{len(_failures)} failed", flush=True)
    sys.exit(1 if _failures else 0)


def skip(why, code=SKIPPED):
    print(why, flush=True)
    sys.exit(code)


def need(program):
    """The program's path; without it the script is skipped."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/sbin")
    return found or skip(f"{program} is not installed")


def temporary_folder():
    folder = tempfile.mkdtemp(prefix="quarq-http-")
    os.chmod(folder, 0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return pathlib.Path(folder)


def eventually(holds, what, timeout=DEFAULT_TIMEOUT):
    """Waits until holds() is true, and returns what it returned."""
    end = time.monotonic() + timeout
    while not (result := holds()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain: {what}")
        time.sleep(0.01)
    return result


# ---- programs

def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start(words, **options):
    """A program that ends with the script. What it prints is in .said(), as long as nobody has asked for a pipe."""
    output = tempfile.TemporaryFile("w+")
    options.setdefault("stdout", output)
    options.setdefault("stderr", subprocess.STDOUT)
    environment = {"PATH": os.environ["PATH"], "QUARQ_TEST_PARENT": str(os.getpid())} | options.pop("environment", {})
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, env=environment,
                               preexec_fn=_die_with_parent, **options)

    def said():
        output.seek(0)
        return output.read()

    process.said = said
    atexit.register(_end, process)
    return process


def _end(process):
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


def run(words, timeout=DEFAULT_TIMEOUT, **options):
    """Runs a program to its end: its exit code and what it printed."""
    environment = {"PATH": os.environ["PATH"], "QUARQ_TEST_PARENT": str(os.getpid())} | options.pop("environment", {})
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, env=environment, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    return done.returncode, done.stdout


class Site:
    """Our server, tests/programs/http_site.cpp."""

    def __init__(self, programs, **options):
        words = [f"{name}={value}" for name, value in options.items()]
        self.process = start([pathlib.Path(programs) / "http_site", *words])
        eventually(lambda: self.process.poll() is not None or self.process.said().endswith("\n"), "the site's ports")
        self.port, self._control = map(int, self.process.said().split()[:2])

    def seen(self):
        """What has come since this was last asked: method, target and peer of each request."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                f"http://127.0.0.1:{self._control}/seen") as answer:
            return json.load(answer)

    def memory(self):
        """What it has in memory, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


# ---- connections

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Raw:
    """A client that sends bytes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEFAULT_TIMEOUT)
        self.waiting = bytearray()
        self.closed = False

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # the server has closed: what it said before that is still there

    def _receive(self, timeout):
        self.socket.settimeout(timeout)
        try:
            part = self.socket.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            part = b""
        self.closed = self.closed or not part
        self.waiting += part
        return bool(part)

    def answer(self, timeout, to_head=False):
        """The next answer's status and body; None if the connection is closed, or nothing comes for so long."""
        while b"\r\n\r\n" not in self.waiting:
            if not self._receive(timeout):
                return None
        head = self._take(self.waiting.index(b"\r\n\r\n") + 4)
        status = int((re.match(rb"HTTP/1\.[01] (\d{3})", head) or [b"", b"0"])[1])
        length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
        body = b""
        if to_head or status in (204, 304) or status < 200:
            pass
        elif length:
            while len(self.waiting) < int(length[1]) and self._receive(timeout):
                pass
            body = self._take(int(length[1]))
        elif re.search(rb"(?im)^transfer-encoding:", head):
            body = self._chunks(timeout)
        return status, body, head

    def _take(self, size):
        taken = bytes(self.waiting[:size])
        del self.waiting[:size]
        return taken

    def _chunks(self, timeout):
        parts = []
        while True:
            while b"\r\n" not in self.waiting:
                if not self._receive(timeout):
                    return b"".join(parts)
            size = int(self._take(self.waiting.index(b"\r\n") + 2).split(b";")[0], 16)
            while len(self.waiting) < size + 2:
                if not self._receive(timeout):
                    return b"".join(parts)
            parts.append(self._take(size + 2)[:-2])
            if size == 0:
                return b"".join(parts)


# ---- the probes

ESCAPE = re.compile(r"\\(x..|.)")
PLAIN = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def unescaped(text):
    """The bytes that a table's text stands for; tests/support/http_table.hpp says how."""
    text = re.sub(r"\{([^{}*]*)\*(\d+)\}", lambda m: m[1] * int(m[2]), text)
    return ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else PLAIN[m[1]], text).encode("latin-1")


def rows(name):
    """The rows of a table in tests/http, as lists of columns."""
    table = FOLDER.parent.parent / "http" / name
    for line in table.read_text(encoding="latin-1").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def probes():
    """The rows of tests/http/probe.tsv: id, level, allowed answers, most requests, bytes."""
    for name, level, allowed, most, data in rows("probe.tsv"):
        yield name, level, allowed.split(","), int(most), unescaped(data)


def unlike_llhttp():
    """The rows of tests/http/requests.tsv that are not judged as llhttp does: id, bytes, and why."""
    for name, _, _, data, *why in rows("requests.tsv"):
        if why:
            yield name, unescaped(data), why[0]
