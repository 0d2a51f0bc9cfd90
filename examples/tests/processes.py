"""Child processes of the examples' tests: none outlives its test."""
import ctypes
import signal
import subprocess

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
