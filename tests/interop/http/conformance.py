"""Sends the probes of tests/http/probe.tsv to our server and to others, and writes docs/http_conformance.md.

    conformance.py PROGRAMS [--write]

Without --write it only prints. Servers that are not installed are named and left out.
"""

import collections
import concurrent.futures
import pathlib
import re
import shutil
import sys
import textwrap

import lab

ROOT = lab.FOLDER.parents[2]
PAGE = ROOT / "docs/http_conformance.md"
KINDS = {"COMP": "compliance", "RFC": "compliance", "SMUG": "smuggling", "MAL": "malformed", "NORM": "normalization",
         "COOK": "cookies"}
# A server that has to say something says it within this time; the probes that may wait may do so for as long.
ANSWER_WITHIN = 1.0
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    # Only for another server does it read bodies.
    location / {{ proxy_pass http://127.0.0.1:{inner}; proxy_http_version 1.1; proxy_set_header Host answers; }}
  }}
  server {{
    listen 127.0.0.1:{inner};
    location / {{ if ($request_method !~ ^(GET|HEAD|POST|OPTIONS)$) {{ return 405; }} return 200 "ok"; }}
  }}
}}
"""


class Missing(Exception):
    pass


def program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/go/bin") or _missing(name)


def _missing(name):
    raise Missing(f"{name} is not installed")


def printed_port(words, **options):
    process = lab.start(words, **options)
    lab.eventually(lambda: process.poll() is not None or re.match(r"\d+\n", process.said()), "a port")
    if process.poll() is not None:
        raise Missing(process.said().strip())
    return int(process.said().split()[0])


def start_nginx():
    folder, port, inner = lab.temporary_folder(), lab.free_port(), lab.free_port()
    (folder / "config").write_text(NGINX.format(folder=folder, port=port, inner=inner))
    lab.start([program("nginx"), "-p", folder, "-e", folder / "error.log", "-c", folder / "config"])
    lab.eventually(lambda: lab.listens(port), "nginx")
    return port


def start_go():
    binary = lab.temporary_folder() / "server"
    code, said = lab.run([program("go"), "build", "-o", binary, lab.FOLDER / "servers/main.go"], 300,
                         environment={"GOCACHE": str(ROOT / "build/go-cache"), "GOPATH": str(ROOT / "build/go"),
                                      "GOTOOLCHAIN": "local"})
    if code != 0:
        raise Missing(said.strip())
    return printed_port([binary])


def version(words, pattern=r"(\d+\.\d+(\.\d+)?)"):
    return re.search(pattern, lab.run(words)[1])[1]


def servers(programs):
    """Name with version, and a function that starts it and returns its port."""
    yield "quarq", lambda: lab.Site(programs, header_timeout=3000, body_timeout=3000).port
    yield "nginx", start_nginx
    yield "Go net/http", start_go
    yield "Node http", lambda: printed_port([program("node"), lab.FOLDER / "servers/node.mjs"])
    yield "aiohttp", lambda: printed_port([sys.executable, lab.FOLDER / "servers/aiohttp_server.py"])


def versions():
    yield "nginx", lambda: version([program("nginx"), "-v"])
    yield "Go net/http", lambda: version([program("go"), "version"])
    yield "Node http", lambda: version([program("node"), "--version"])
    yield "aiohttp", lambda: version([sys.executable, "-c", "import aiohttp; print(aiohttp.__version__)"])


def answer_to(port, data, timeout=ANSWER_WITHIN):
    client = lab.Raw(port)
    client.send(data)
    # An interim answer is none.
    for _ in range(3):
        answer = client.answer(timeout, to_head=data.startswith(b"HEAD"))
        if answer is None or answer[0] >= 200:
            break
    said = str(answer[0]) if answer else ("close" if client.closed else "wait")
    client.close()
    return said


def allows(allowed, said):
    return said in allowed or (said.startswith("2") and "2xx" in allowed)


def kind_of(name):
    return KINDS[re.match(r"[A-Z]+", name)[0]]


def judge(port, asks_again):
    """The probes to which a server's answer is not allowed: kind -> [(name, level, answer)]."""
    wrong = collections.defaultdict(list)
    for name, level, allowed, _, data in lab.probes():
        said = answer_to(port, data)
        if said == "wait" and asks_again and not allows(allowed, said):
            said = answer_to(port, data, 5 * ANSWER_WITHIN)  # the machine may be busy
        if not allows(allowed, said):
            wrong[kind_of(name)].append((name, level, said))
    return wrong


def unlike_llhttp(ports):
    """Where quarq judges otherwise than llhttp: request, answers, why."""
    ports = {name: ports[name] for name in ("quarq", "nginx", "Node http") if name in ports}
    lines = ["## Where quarq judges otherwise than llhttp", ""]
    lines += textwrap.wrap(
        "The tables in `tests/http/` have 179 cases of llhttp, Node's parser, too. These requests quarq judges "
        "otherwise than its strict mode. And as a client it refuses an answer of HTTP/0.9.", 110)
    lines += ["", "| request | " + " | ".join(ports) + " | why |", "|---" * (len(ports) + 2) + "|"]
    for name, data, why in lab.unlike_llhttp():
        said = [answer_to(port, data) for port in ports.values()]
        lines.append(f"| {name} | " + " | ".join(said) + f" | {why} |")
    return lines


def page(results, known, unlike):
    counts = collections.Counter(kind_of(name) for name, *_ in lab.probes())
    lines = ["# Conformance", ""]
    names = list(results)
    lines += textwrap.wrap(
        f"{sum(counts.values())} requests of Http11Probe, as `tests/http/probe.tsv` restates them, and how many of "
        "them each server answers as the RFCs allow. Most of what differs is optional: the last row counts answers "
        "that break a MUST; \"wait\" is no answer within a second. Each server has its defaults, and handlers that answer GET, HEAD and POST with the body. "
        "`tests/interop/http/conformance.py` makes this page.", 110)
    lines += ["", "| kind | of | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for kind, total in counts.items():
        lines.append(f"| {kind} | {total} | "
                     + " | ".join(str(total - len(results[name][kind])) for name in names) + " |")
    lines.append(f"| all | {sum(counts.values())} | " + " | ".join(
        str(sum(counts.values()) - sum(map(len, results[name].values()))) for name in names) + " |")
    lines.append("| answers that break a MUST | | " + " | ".join(
        str(sum(level == "MUST" for all_of_kind in results[name].values() for _, level, _ in all_of_kind))
        for name in names) + " |")
    lines += ["", *textwrap.wrap("Versions: " + ", ".join(f"{name} {number}" for name, number in known.items())
                                 + ". nginx passes requests on to a second server of its own, since it reads bodies "
                                 "only for others.", 110)]
    lines += ["", "## What was answered otherwise", ""]
    for name in names:
        wrong = [f"{case} ({level}: {said})" for all_of_kind in results[name].values()
                 for case, level, said in all_of_kind]
        text = f"**{name}**: " + (", ".join(wrong) if wrong else "nothing") + "."
        lines += [*textwrap.wrap(text, 110, break_long_words=False, break_on_hyphens=False), ""]
    return "\n".join([*lines, *unlike]).rstrip() + "\n"


def main():
    programs = pathlib.Path(sys.argv[1])
    ports, known = {}, {}
    for name, starts in servers(programs):
        try:
            ports[name] = starts()
        except Missing as why:
            print(f"{name} is left out: {why}", flush=True)
    # Most of the time goes by in waiting for those that say nothing.
    with concurrent.futures.ThreadPoolExecutor(len(ports)) as threads:
        results = dict(zip(ports, threads.map(judge, ports.values(), [name == "quarq" for name in ports])))
    for name, ask in versions():
        if name in results:
            known[name] = ask()
    text = page(results, known, unlike_llhttp(ports))
    print(text)
    if "--write" in sys.argv:
        PAGE.write_text(text)
    ours = results["quarq"]
    lab.check(not any(ours.values()), f"ours: {dict(ours)}")
    for name, theirs in results.items():
        for kind in set(KINDS.values()):
            lab.check(len(ours[kind]) <= len(theirs[kind]), f"{name} is above us in {kind}")
    lab.finish()


main()
