"""Processes of the benchmark: started on chosen processors, measured with all their descendants, ended for certain."""
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """What descendants leave running becomes ours, and so is counted and ended, also if we are to end early."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


class Process:
    """One process, a group of its own, which dies with us. What it prints on stderr is in `log`."""

    def __init__(self, command, cpus, log, env=None, capture=False):
        pinned = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", ",".join(map(str, cpus)), *map(str, command)]
        self.command = [str(word) for word in command]
        self.log = pathlib.Path(log)
        self._log = open(log, "ab")
        self._popen = subprocess.Popen(pinned, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if capture else self._log,
                                       stderr=self._log, start_new_session=True,
                                       env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})})
        self.pid = self._popen.pid

    def running(self):
        return self._popen.poll() is None

    def answer(self, seconds):
        """Waits for its end and returns the JSON that it printed. Throws RuntimeError if it failed or took longer."""
        try:
            out, _ = self._popen.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{' '.join(self.command)} took longer than {seconds:.0f} s") from None
        self._log.close()
        if self._popen.returncode:
            raise RuntimeError(f"{' '.join(self.command)} ended with {self._popen.returncode}: {self.last_words()}")
        return json.loads(out)

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        errors = [line for line in lines if "rror" in line]
        return (errors or lines or ["no word"])[-1][:300]

    def stop(self, seconds=5):
        """Asks it to end, and kills what has not by then."""
        if self.running():
            self._popen.terminate()
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self):
        members = tree(self.pid) if self.running() else []
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self._popen.stdout:
            self._popen.stdout.close()
        self._popen.wait()
        self._log.close()


def _stat(pid):
    """The fields behind the name, or None if it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2:].split()


def tree(root):
    """The process and all that descend from it."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(name)):
            children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def cpu_seconds(root):
    """What the process and its descendants have used, those that have ended included."""
    ticks = 0
    for pid in tree(root):
        if fields := _stat(pid):
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICK


def memory_mb(root):
    """What they have in memory; what several share is counted once."""
    kib = 0
    for pid in tree(root):
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        kib += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return kib / 1024


def reap_orphans():
    """Ends and reaps whatever descendants are still there between two runs."""
    for pid in tree(os.getpid())[1:]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.01)


class Machine:
    """How busy the machine was since this was made, and how much of that was ours."""

    def __init__(self):
        self._start, self._busy, self._own = time.monotonic(), self._busy_now(), self._own_now()

    @staticmethod
    def _busy_now():
        fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        user, nice, system, _idle, _iowait, irq, softirq, steal = fields
        return (user + nice + system + irq + softirq + steal) / TICK

    @staticmethod
    def _own_now():
        return cpu_seconds(os.getpid())

    def since(self):
        """(busy seconds of all processors, ours, elapsed)."""
        return self._busy_now() - self._busy, self._own_now() - self._own, time.monotonic() - self._start
