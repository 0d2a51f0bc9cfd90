"""Our server behind nginx or haproxy: both must see the same requests, whatever bytes a client sends.

    proxies.py PROGRAMS nginx|haproxy [strict|lenient]

Strict is the proxy as its packagers have configured it. Lenient lets it pass on as much as its settings allow. Every
probe of tests/http/probe.tsv is sent through the proxy, whose log says what it has forwarded. The server must have
seen exactly that, but for what it has refused; and the next user of the proxy must get the answer to their own
question. Then the everyday matters: forwarded fields, connections that are used again, large bodies, slow clients,
WebSockets.
"""

import asyncio
import hashlib
import json
import os
import pathlib
import re
import socket
import sys
import time

import lab
from lab import check

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log notice;
events {{ worker_connections 512; }}
http {{
  log_format forwarded escape=json
    '{{"server":"$upstream_addr","method":"$request_method","target":"$request_uri","status":"$upstream_status"}}';
  access_log {folder}/access.log forwarded;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  client_header_timeout 1s; client_body_timeout 10s;
  client_max_body_size 100m;
  {lenient}
  upstream site {{ server 127.0.0.1:{site}; keepalive 8; }}
  map $http_upgrade $to_site {{ default upgrade; '' ''; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://site;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $to_site;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""
NGINX_LENIENT = "ignore_invalid_headers off; underscores_in_headers on; merge_slashes off;"

HAPROXY = """
global
  log 127.0.0.1:{log} len 65000 format raw local0
  tune.http.logurilen 16000
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  timeout tunnel 60s
  timeout http-request 1s
  http-reuse always
  log-format "{{\\"server\\":\\"%s\\",\\"method\\":\\"%[capture.req.method,json(utf8s)]\\",\
\\"target\\":\\"%[capture.req.uri,json(utf8s)]\\",\\"status\\":\\"%ST\\"}}"
frontend front
  bind 127.0.0.1:{port}
  option forwardfor
  {front}
  http-request set-header X-Forwarded-Proto http
  default_backend back
backend back
  {back}
  server site 127.0.0.1:{site}
"""
# What the server may say to what a proxy has passed on and it does not take for a request.
REFUSALS = {"400", "408", "413", "414", "417", "426", "431", "501", "505", "502", "504", "-", "499", "-1", "0"}


class Proxy:
    """One of the two in front of our server, and its log."""

    def __init__(self, kind, lenient, site_port):
        self.folder = lab.temporary_folder()
        self.port = lab.free_port()
        self.entries = []
        if kind == "nginx":
            self._read = self._read_file
            text = NGINX.format(folder=self.folder, port=self.port, site=site_port,
                                lenient=NGINX_LENIENT if lenient else "")
            words = [lab.need("nginx"), "-p", self.folder, "-e", self.folder / "error.log", "-c"]
        else:
            self._read = self._read_datagrams
            self._log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._log.bind(("127.0.0.1", 0))
            self._log.setblocking(False)
            text = HAPROXY.format(log=self._log.getsockname()[1], port=self.port, site=site_port,
                                  front="option accept-invalid-http-request" if lenient else "",
                                  back="option accept-invalid-http-response" if lenient else "")
            words = [lab.need("haproxy"), "-db", "-f"]
        config = self.folder / "config"
        config.write_text(text)
        self._process = lab.start([*words, config])
        lab.eventually(lambda: self._process.poll() is not None or lab.listens(self.port), "the proxy")
        if self._process.poll() is not None:
            sys.exit("the proxy has not started:\n" + self._process.said())
        self.take()

    def _read_file(self):
        path = self.folder / "access.log"
        lines = path.read_bytes().splitlines() if path.exists() else []
        fresh = lines[getattr(self, "_lines", 0):]
        self._lines = len(lines)
        return fresh

    def _read_datagrams(self):
        fresh = []
        while True:
            try:
                fresh.append(self._log.recv(65536))
            except BlockingIOError:
                return fresh

    def take(self):
        """What it has logged since: the requests that it has forwarded."""
        for line in self._read():
            entry = json.loads(line.decode("utf-8", "replace"), strict=False)
            if entry["server"] not in ("", "-", "<NOSRV>"):
                self.entries.append(entry)
        return self.entries

    def forget(self):
        self.entries = []


def is_same(entry, seen):
    # haproxy's log has the path of a URL alone, and "-" for what has none.
    path = re.sub(r"^https?://[^/]*", "", seen["target"])
    return entry["method"] == seen["method"] and entry["target"] in (
        seen["target"], path, *(["-"] if not path.startswith("/") else []))


def agree(forwarded, seen):
    """Whether what was seen is what was forwarded, in order, but for what was refused."""
    seen = list(seen)
    for entry in forwarded:
        if seen and is_same(entry, seen[0]):
            seen.pop(0)
        elif entry["status"].split(", ")[-1] not in REFUSALS:
            return False
    return not seen


def send_probe(port, data):
    client = lab.Raw(port)
    client.send(data)
    first = client.answer(0.3, to_head=data.startswith(b"HEAD"))
    if first is None and not client.closed:
        client.socket.shutdown(socket.SHUT_WR)
    while client.answer(0.05 if first else 0.3) is not None:
        pass  # whatever else there is
    client.close()


def check_probes(proxy, site):
    forwarded_in_all = seen_in_all = 0
    for number, (name, _, _, _, data) in enumerate(lab.probes()):
        send_probe(proxy.port, data)
        # Somebody else's request: over the same connection behind the proxy, if bytes were left on it.
        for _ in range(2):
            other = lab.Raw(proxy.port)
            other.send(b"GET /canary/%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % number)
            answer = other.answer(lab.DEFAULT_TIMEOUT)
            other.close()
            check(answer and answer[0] == 200 and answer[1] == b"%d" % number,
                  f"{name}: the next user got {answer and answer[:2]}")
        canary = f"/canary/{number}"
        lab.eventually(lambda: sum(e["target"] == canary for e in proxy.take()) >= 2, f"the log of {name}")
        seen = [s for s in site.seen() if s["target"] != canary]
        # An entry is written when a request has ended, which may be after the client has gone.
        end = time.monotonic() + 5
        while True:
            forwarded = [e for e in proxy.take() if e["target"] != canary]
            if agree(forwarded, seen) or time.monotonic() > end:
                break
            time.sleep(0.02)
            seen += [s for s in site.seen() if s["target"] != canary]
        proxy.forget()
        check(agree(forwarded, seen), f"{name}: forwarded {forwarded}, but seen {seen}")
        forwarded_in_all += len(forwarded)
        seen_in_all += len(seen)
    print(f"{number + 1} probes: {forwarded_in_all} requests forwarded, {seen_in_all} seen by the server", flush=True)
    check(seen_in_all > 50, "hardly anything came through")


def get(client, target, fields=b""):
    client.send(b"GET %s HTTP/1.1\r\nHost: site.test\r\n%s\r\n" % (target, fields))
    return client.answer(lab.DEFAULT_TIMEOUT)


def check_fields(proxy, site):
    client = lab.Raw(proxy.port)
    answer = get(client, b"/fields", b"X-Forwarded-For: 192.0.2.7\r\n")
    fields = [(f["name"].lower(), f["value"]) for f in json.loads(answer[1])]
    forwarded = ", ".join(value for name, value in fields if name == "x-forwarded-for")
    check(forwarded == "192.0.2.7, 127.0.0.1", f"X-Forwarded-For is {forwarded}")
    check(("x-forwarded-proto", "http") in fields, f"no X-Forwarded-Proto: {fields}")
    check(("host", "site.test") in fields, f"another Host: {fields}")
    site.seen()
    for i in range(100):
        check(get(client, b"/canary/%d" % i)[1] == b"%d" % i, f"canary {i}")
    peers = {s["peer"] for s in site.seen()}
    check(len(peers) <= 3, f"100 requests came over {len(peers)} connections")
    client.close()


def check_bodies(proxy):
    size = 20_000_000
    body = os.urandom(size)
    for framing in (b"Content-Length: %d\r\n\r\n" % size, b"Transfer-Encoding: chunked\r\n\r\n"):
        client = lab.Raw(proxy.port)
        client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\n" + framing)
        if b"chunked" in framing:
            for at in range(0, size, 100_000):
                client.send(b"186a0\r\n" + body[at:at + 100_000] + b"\r\n")
            client.send(b"0\r\n\r\n")
        else:
            client.send(body)
        answer = client.answer(lab.DEFAULT_TIMEOUT)
        check(answer and answer[0] == 200 and
              json.loads(answer[1]) == {"size": size, "sha256": hashlib.sha256(body).hexdigest()},
              f"a large body by {framing}: {answer}")
        client.close()
    client = lab.Raw(proxy.port)
    client.send(b"GET /letters/%d HTTP/1.1\r\nHost: a\r\n\r\n" % size)
    answer = client.answer(lab.DEFAULT_TIMEOUT)
    letters = b"abcdefghijklmnopqrstuvwxyz"
    check(answer and answer[1] == (letters * (size // 26 + 1))[:size], "a large answer is another")
    client.close()


def check_slow_client(proxy):
    client = lab.Raw(proxy.port)
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
    for _ in range(20):
        client.send(b"x")
        time.sleep(0.02)
    answer = client.answer(lab.DEFAULT_TIMEOUT)
    check(answer and answer[:2] == (200, b"x" * 20), f"a slow client got {answer}")
    client.close()


async def talk(port):
    import websockets.asyncio.client

    url = f"ws://127.0.0.1:{port}/live"
    async with websockets.asyncio.client.connect(url, subprotocols=["echo"], max_size=1 << 24) as socket_:
        check(socket_.subprotocol == "echo", "no subprotocol")
        for message in ("", "hello", "x" * 70_000, b"\x00\xff" * 500_000):
            await socket_.send(message)
            check(await socket_.recv() == message, f"another message than {message[:10]}")
        await (await socket_.ping())
        await socket_.send("close 4001")
        await socket_.wait_closed()
        check(socket_.close_code == 4001, f"closed with {socket_.close_code}")


def main():
    programs, kind = sys.argv[1:3]
    lenient = "lenient" in sys.argv[3:]
    lab.need(kind)
    # The server must not give up before the proxies do.
    site = lab.Site(programs, header_timeout=3000, body_timeout=3000, max_body=100_000_000)
    proxy = Proxy(kind, lenient, site.port)
    check_probes(proxy, site)
    check_fields(proxy, site)
    check_bodies(proxy)
    check_slow_client(proxy)
    asyncio.run(asyncio.wait_for(talk(proxy.port), lab.DEFAULT_TIMEOUT))
    check(site.process.poll() is None, "the server has ended")
    lab.finish()


main()
