"""Hosts with two kinds of addresses, one of them dead, in a network of our own: RFC 8305's race, server and client.

    ipv6.py PROGRAMS

Needs a network namespace; where that is not allowed, it says so.
"""

import os
import pathlib
import socket
import subprocess
import sys
import time

import lab
from lab import check

HOSTS = """127.0.0.1 localhost
2001:db8::1 six.test
192.0.2.1 four.test
2001:db8::1 both.test
192.0.2.1 both.test
2001:db8:9::9 far-six.test
192.0.2.1 far-six.test
2001:db8::1 far-four.test
198.51.100.9 far-four.test
2001:db8:9::9 nowhere.test
"""


def enter():
    """Goes on in a network and a mount namespace of its own."""
    os.environ["QUARQ_IN_NAMESPACE"] = "1"
    words = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        lab.skip("no network namespace can be made here", lab.NOT_ALLOWED)
    os.execvp(words[0], [*words, sys.executable, *sys.argv])


def set_up():
    hosts = lab.temporary_folder() / "hosts"
    hosts.write_text(HOSTS)
    for words in ("ip link set lo up", "ip addr add 192.0.2.1/32 dev lo", "ip addr add 2001:db8::1/128 dev lo nodad",
                  f"mount --bind {hosts} /etc/hosts"):
        if subprocess.run(words.split()).returncode != 0:
            lab.skip(f"not allowed here: {words}", lab.NOT_ALLOWED)


class Dead:
    """An address that takes no connection and refuses none: its queue is full."""

    def __init__(self, family, address, port):
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self._listener.bind((address, port))
        self._listener.listen(0)
        self._filling = []
        for _ in range(3):
            one = socket.socket(family)
            one.setblocking(False)
            one.connect_ex((address, port))
            self._filling.append(one)

    def end(self):
        for one in (*self._filling, self._listener):
            one.close()


def main():
    programs = pathlib.Path(sys.argv[1])
    if "QUARQ_IN_NAMESPACE" not in os.environ:
        enter()
    set_up()
    six = lab.Site(programs, address="2001:db8::1", public="1")
    port = six.port
    four = lab.Site(programs, address="192.0.2.1", public="1", port=port)

    def visit(host, timeout=20_000):
        begin = time.monotonic()
        code, said = lab.run([programs / "http_visitor", f"url=http://{host}:{port}/canary/6", f"timeout={timeout}"])
        print(f"{host}: {said.strip()} ({(time.monotonic() - begin) * 1000:.0f} ms with the program's start)",
              flush=True)
        return code, said

    def reaches(host, what):
        code, said = visit(host)
        check(code == 0 and said == "200 6\n", f"{what}: {said}")

    reaches("six.test", "IPv6 alone")
    reaches("four.test", "IPv4 alone")
    reaches("[2001:db8::1]", "an address as the host")
    reaches("both.test", "both")
    reaches("far-six.test", "no way to the IPv6 address")
    reaches("far-four.test", "no way to the IPv4 address")
    code, said = visit("nowhere.test")
    check(code == 1 and "failed connecting" in said and "2001:db8:9::9" in said, f"no way at all: {said}")

    # A dead address never answers: that there is an answer at all shows the race.
    six.process.kill()
    six.process.wait()
    dead_six = Dead(socket.AF_INET6, "2001:db8::1", port)
    reaches("both.test", "a dead IPv6 address")
    four.process.kill()
    four.process.wait()
    dead_four = Dead(socket.AF_INET, "192.0.2.1", port)
    code, said = visit("both.test", 2000)
    check(code == 1 and "failed connecting" in said and "2000 ms" in said, f"both dead: {said}")
    dead_six.end()
    six = lab.Site(programs, address="2001:db8::1", public="1", port=port)
    reaches("both.test", "a dead IPv4 address")
    dead_four.end()
    lab.finish()


main()
