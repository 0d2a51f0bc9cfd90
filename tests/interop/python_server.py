"""Runs the Python programs of a test, each in a copy of this interpreter, which has imported what they need once.

  python_server.py SOCKET MODULE     listens on a Unix socket; each program begins with all names of the module

A connection carries one program, and back "CODE SIZE\n", SIZE bytes of what it printed, and then its errors.
"""

import ctypes
import importlib
import os
import signal
import socket
import sys
import traceback

DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def read_all(connection):
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b''.join(parts)


def run(program, names):
    """The exit code of the program; what it prints goes where this process prints."""
    try:
        exec(compile(program, '<program>', 'exec'), dict(names, __name__='__main__'))
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1


def serve(connection, names):
    program = read_all(connection)
    printed = [os.memfd_create('out'), os.memfd_create('err')]
    for at, file in enumerate(printed, 1):
        os.dup2(file, at)
    code = run(program, names)
    sys.stdout.flush()
    sys.stderr.flush()
    out, err = (os.pread(file, os.fstat(file).st_size, 0) for file in printed)
    connection.sendall(b'%d %d\n' % (code, len(out)) + out + err)


def main():
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    path, module = sys.argv[1:]
    names = {name: value for name, value in vars(importlib.import_module(module)).items() if name[0] != '_'}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print('listening', flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                serve(connection, names)
            finally:
                os._exit(0)
        connection.close()


main()
