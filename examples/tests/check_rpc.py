#!/usr/bin/env python3
"""check_rpc.py SERVER CLIENT: two servers, a client that knows both and a third that is not there, and its output."""
import re
import signal
import subprocess
import sys

from processes import finish, start


def require(holds, what):
    if not holds:
        raise SystemExit(f"check_rpc: {what}")


def main(server_program, client_program):
    servers, urls = [], ["http://127.0.0.1:1"]
    for _ in range(2):
        server = start([server_program, "--port", "0"], stderr=subprocess.PIPE, text=True)
        address = re.search(r"listening on (\S+)", server.stderr.readline())
        require(address, "a server names its port")
        servers.append(server)
        urls.append(address[1])
    client = start([client_program, *urls], stdout=subprocess.PIPE, text=True)
    output, code = finish(client, 60)
    require(code == 0, f"the client's exit code is 0, not {code}")
    require(output == "the fox: 9 words\n1 2 3 \n", f"it prints {output!r}")
    for server in servers:
        server.send_signal(signal.SIGTERM)
        _, code = finish(server, 60)
        require(code == 0, f"exit code {code} after SIGTERM")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
