"""Our client through squid: http: and https: URLs, with and without a password; the origin must never see it.

    squid.py PROGRAMS
"""

import json
import os
import pathlib
import sys

import lab
from authority import Certificate
from lab import check

CONFIG = """
http_port 127.0.0.1:{port}
pid_filename {folder}/pid
coredump_dir {folder}
cache_log {folder}/cache.log
access_log stdio:{folder}/access.log
cache deny all
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
{password}
acl wanted port {sites}
acl connect method CONNECT
http_access deny !wanted
http_access allow all
"""
PASSWORD = """
auth_param basic program {helper} {users}
acl known proxy_auth REQUIRED
http_access deny !known
"""


class Squid:
    def __init__(self, sites, with_password):
        self.folder = lab.temporary_folder()
        os.chmod(self.folder, 0o777)  # as root it becomes another user
        self.port = lab.free_port()
        users = self.folder / "users"
        users.write_text("ann:$apr1$quarq$" + lab.run(["openssl", "passwd", "-apr1", "-salt", "quarq", "se:cret"])[1]
                         .strip().rpartition("$")[2] + "\n")
        password = PASSWORD.format(helper="/usr/lib/squid/basic_ncsa_auth", users=users) if with_password else ""
        config = self.folder / "config"
        config.write_text(CONFIG.format(port=self.port, folder=self.folder, password=password,
                                        sites=" ".join(map(str, sites))))
        self._process = lab.start([lab.need("squid"), "-N", "-f", config])
        lab.eventually(lambda: self._process.poll() is not None or lab.listens(self.port), "squid")
        if self._process.poll() is not None:
            sys.exit("squid has not started:\n" + self._process.said() + (self.folder / "cache.log").read_text())

    def log(self):
        return (self.folder / "access.log").read_text()

    def forget(self):
        os.truncate(self.folder / "access.log", 0)


def main():
    programs = pathlib.Path(sys.argv[1])
    lab.need("squid")
    folder = lab.temporary_folder()
    ca = Certificate(folder, "authority", is_authority=True)
    shown = Certificate(folder, "site", ca, "IP:127.0.0.1")
    plain = lab.Site(programs)
    secure = lab.Site(programs, certificate=shown.alone, key=shown.key)

    def visit(site, scheme, proxy, path="/fields", times=1):
        return lab.run([programs / "http_visitor", f"url={scheme}://127.0.0.1:{site.port}{path}", f"ca={ca.alone}",
                        f"proxy={proxy}", f"times={times}", "timeout=20000"])

    for with_password in (False, True):
        squid = Squid([plain.port, secure.port], with_password)
        address = f"127.0.0.1:{squid.port}"
        user = f"http://ann:se%3Acret@{address}" if with_password else f"http://{address}"
        for scheme, site in (("http", plain), ("https", secure)):
            what = f"{scheme}, {'with' if with_password else 'without'} a password"
            squid.forget()
            code, said = visit(site, scheme, user)
            print(f"{what}: {said.strip()[:150]}", flush=True)
            if check(code == 0 and said.startswith("200 "), f"{what}: {said}"):
                names = {f["name"].lower() for f in json.loads(said[4:])}
                check("proxy-authorization" not in names, f"{what}: the origin got Proxy-Authorization")
                check(("via" in names) == (scheme == "http"), f"{what}: fields {names}")
            # A tunnel is logged when it ends.
            lab.eventually(lambda: "127.0.0.1:" in squid.log(), "squid's log")
            squid.forget()
            code, said = visit(site, scheme, user, "/canary/7", times=5)
            check(code == 0 and said == "200 7\n" * 5, f"{what}: {said}")
            # One tunnel serves all five.
            lab.eventually(lambda: "CONNECT" in squid.log() if scheme == "https" else squid.log().count("GET") == 5,
                           "squid's log")
            check(squid.log().count("CONNECT") == (1 if scheme == "https" else 0), f"{what}: {squid.log()}")
            if with_password:
                for wrong in (f"http://{address}", f"http://ann:wrong@{address}"):
                    code, said = visit(site, scheme, wrong)
                    refused = said.startswith("407 ") if scheme == "http" else code == 1 and "407" in said
                    check(refused, f"{what}, but a wrong one: {said}")
        # What the proxy does not allow.
        other = lab.Site(programs)
        code, said = visit(other, "http", user)
        check(said.startswith("403 "), f"another port: {said[:100]}")
        code, said = visit(other, "https", user)
        check(code == 1 and "the proxy refuses: 403" in said, f"a tunnel to another port: {said}")
    lab.finish()


main()
