"""Whom our client trusts, beside curl: servers with every fault that a certificate or a handshake may have.

    tls.py PROGRAMS

Both must say the same of each, and that is what the table says.
"""

import pathlib
import socket
import ssl
import sys
import threading
import warnings

import lab
from authority import Certificate
from lab import check

warnings.filterwarnings("ignore", category=DeprecationWarning)  # of old versions of TLS, which are asked for here
LOCAL = "IP:127.0.0.1,DNS:localhost"


class Server:
    """Answers one request on each connection, in TLS that is as bad as its settings."""

    def __init__(self, shown, versions=None, ciphers="ALL:@SECLEVEL=0", client_authority=None, protocols=None,
                 chain=()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(ciphers)
        context.minimum_version, context.maximum_version = versions or (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
        together = shown.folder / "chain.pem"
        together.write_text(shown.both.read_text() + "".join(c.alone.read_text() for c in chain))
        context.load_cert_chain(together)
        if client_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_authority.alone)
        if protocols:
            context.set_alpn_protocols(protocols)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._listener.accept()
            try:
                connection.settimeout(10)
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    while b"\r\n\r\n" not in (request := secure.recv(65536)) and request:
                        pass
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntrusted")
                    secure.unwrap()
            except (OSError, ValueError):
                connection.close()


def rows(folder):
    """What it is, the server's settings, the URL's host, whether it is trusted; and what the client shows."""
    ca = Certificate(folder, "authority", is_authority=True)
    other = Certificate(folder, "other-authority", is_authority=True)
    weak_ca = Certificate(folder, "weak-authority", is_authority=True, key="1024", digest="sha1")
    middle = Certificate(folder, "intermediate", ca, is_authority=True)
    no_authority = Certificate(folder, "no-authority", ca)
    good = Certificate(folder, "good", ca, LOCAL)
    client = Certificate(folder, "client", ca)
    stranger = Certificate(folder, "stranger", other)

    def signed(name, issuer=ca, names=LOCAL, **more):
        return {"shown": Certificate(folder, name, issuer, names, **more)}

    version = ssl.TLSVersion
    ip = "127.0.0.1"
    return ca, weak_ca, [
        ("good, by its address", {"shown": good}, ip, True),
        ("good, by its name", {"shown": good}, "localhost", True),
        ("expired", signed("expired", end="20200201000000Z"), ip, False),
        ("not yet valid", signed("early", start="20490101000000Z"), ip, False),
        ("another host", signed("wrong-host", names="DNS:example.org"), "localhost", False),
        ("another address", signed("wrong-address", names="IP:127.0.0.2"), ip, False),
        ("a name that looks like the address", signed("name-address", names="DNS:127.0.0.1"), ip, False),
        ("an address, asked by name", signed("address-only", names="IP:127.0.0.1"), "localhost", False),
        ("the name in CN alone, and another in SAN", signed("localhost", names="DNS:example.org"), "localhost", False),
        ("a wildcard", signed("wildcard", names="DNS:*.local.test"), "a.local.test", True),
        ("a wildcard, a level too deep", signed("wildcard-deep", names="DNS:*.local.test"), "b.a.local.test", False),
        ("a wildcard, without a level", signed("wildcard-flat", names="DNS:*.local.test"), "local.test", False),
        ("a wildcard for all of a top level", signed("wildcard-top", names="DNS:*.test"), "local.test", False),
        ("unknown authority", signed("unknown", issuer=other), ip, False),
        ("signed by itself", {"shown": Certificate(folder, "itself", None, LOCAL)}, ip, False),
        ("intermediate authority, sent", signed("by-middle", issuer=middle) | {"chain": [middle]}, ip, True),
        ("intermediate authority, not sent", signed("by-middle-alone", issuer=middle), ip, False),
        ("signed by what is no authority", signed("by-none", issuer=no_authority) | {"chain": [no_authority]}, ip,
         False),
        ("for clients only", signed("client-only", more="extendedKeyUsage = clientAuth"), ip, False),
        ("SHA-1", signed("sha1", digest="sha1"), ip, False),
        ("RSA with 1024 bits", signed("rsa-1024", key="1024"), ip, False),
        ("an authority with a weak key", signed("by-weak", issuer=weak_ca), ip, False),
        ("RSA with 2048 bits", signed("rsa-2048", key="2048"), ip, True),
        ("TLS 1.0 only", {"shown": good, "versions": (version.TLSv1, version.TLSv1)}, ip, False),
        ("TLS 1.1 only", {"shown": good, "versions": (version.TLSv1_1, version.TLSv1_1)}, ip, False),
        ("TLS 1.2 only", {"shown": good, "versions": (version.TLSv1_2, version.TLSv1_2)}, ip, True),
        ("TLS 1.3 only", {"shown": good, "versions": (version.TLSv1_3, version.TLSv1_3)}, ip, True),
        ("no encryption", {"shown": good, "versions": (version.TLSv1_2, version.TLSv1_2),
                           "ciphers": "eNULL:@SECLEVEL=0"}, ip, False),
        ("no authentication", {"shown": good, "versions": (version.TLSv1_2, version.TLSv1_2),
                               "ciphers": "aNULL:@SECLEVEL=0"}, ip, False),
        ("ALPN: HTTP/1.1", {"shown": good, "protocols": ["http/1.1"]}, ip, True),
        ("ALPN: also HTTP/2", {"shown": good, "protocols": ["h2", "http/1.1"]}, ip, True),
        ("wants a client certificate", {"shown": good, "client_authority": ca}, ip, False),
        ("wants one, and gets it", {"shown": good, "client_authority": ca}, ip, True, client),
        ("wants one, and gets a stranger's", {"shown": good, "client_authority": ca}, ip, False, stranger),
    ]


def main():
    programs = pathlib.Path(sys.argv[1])
    lab.need("curl")
    lab.need("openssl")
    ca, weak_ca, table = rows(lab.temporary_folder())
    trusted = ca.alone.parent / "trusted.pem"
    trusted.write_text(ca.alone.read_text() + weak_ca.alone.read_text())
    for what, settings, host, expected, *shown in table:
        server = Server(**settings)
        # Names of our own are found by neither: both connect through a proxy that knows them.
        url = f"https://{host}:{server.port}/"
        ours = [programs / "http_visitor", f"url={url}", f"ca={trusted}", "timeout=20000"]
        curls = ["curl", "--silent", "--show-error", "--http1.1", "--max-time", "20", "--cacert", trusted, url]
        if host.endswith(".test"):
            tunnel = Tunnel()
            ours.append(f"proxy=http://127.0.0.1:{tunnel.port}")
            curls += ["--proxy", f"http://127.0.0.1:{tunnel.port}"]
        else:
            curls += ["--noproxy", "*"]
        if shown:
            ours += [f"certificate={shown[0].both}"]
            curls += ["--cert", shown[0].both]
        code, said = lab.run(ours)
        curl_code, curl_said = lab.run(curls)
        print(f"{what}: ours: {said.strip()}; curl: {curl_code} {curl_said.splitlines()[:1]}", flush=True)
        check((code == 0 and said == "200 trusted\n") == expected, f"{what}: our client says {said}")
        check((curl_code == 0 and curl_said == "trusted") == expected, f"{what}: curl says {curl_code} {curl_said}")
    lab.finish()


class Tunnel:
    """A proxy that connects every CONNECT to this host."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            client, _ = self._listener.accept()
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536)
            port = int(request.split()[1].rpartition(b":")[2])
            server = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


main()
