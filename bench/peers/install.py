"""Installs peers into build/peers, each at the newest version that its registry has, and says which that is."""
import filecmp
import json
import re
import shutil
import subprocess

import servers
from peers import BUILT, DRIVERS

# What ./dev installs from Debian, by the program that must be there.
OF_SERVERS = {"redis": "redis-server", "postgres": "initdb", "beanstalkd": "beanstalkd"}
OF_LANGUAGES = {"npm": "npm", "go": "go", "apt": "sidekiq"}


class Absent(Exception):
    """A peer that can't be had, with the reason."""


def _run(command, log, **options):
    with open(log, "ab") as out:
        done = subprocess.run([str(word) for word in command], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                              check=False, **options)
    if done.returncode:
        raise Absent(f"{command[0]} failed (build/peers/{log.name} says why)")


def _check_programs(peer):
    for program in (OF_SERVERS.get(peer.server), OF_LANGUAGES.get(peer.by)):
        if program and not shutil.which(servers.Postgres.program(program)):
            raise Absent(f"{program} is not installed")


def _fill(folder, fill):
    """Calls what fills a folder, unless that was done before. What an interrupted installation left in it goes first."""
    mark = folder / ".whole"
    if mark.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill()
    mark.touch()


def _pip(peer, log):
    folder = BUILT / (peer.driver or peer.name)

    def fill():
        _run(["python3", "-m", "venv", folder], log)
        _run([folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages], log)

    _fill(folder, fill)


def _npm(peer, log):
    folder = BUILT / (peer.driver or peer.name)

    def fill():
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        _run(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, *peer.packages], log)

    _fill(folder, fill)
    # node looks for modules beside the real file.
    for source in ("driver.mjs", f"{peer.driver}_peer.mjs"):
        shutil.copy(DRIVERS / source, folder / source)


MORE_OF_GO = {"asynq": (), "river": ("github.com/riverqueue/river/riverdriver/riverpgxv5",
                                     "github.com/riverqueue/river/rivermigrate", "github.com/jackc/pgx/v5")}


def _go(peer, log):
    name = peer.driver or peer.name
    folder = BUILT / "go" / f"module-{name}"
    program = BUILT / "go" / f"{name}_peer"
    sources = [path.relative_to(DRIVERS / "go") for part in ("driver", name) for path in (DRIVERS / "go" / part).glob("*.go")]
    if program.exists() and all(filecmp.cmp(DRIVERS / "go" / path, folder / path, shallow=False)
                                for path in sources if (folder / path).exists()):
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DRIVERS / "go", folder)
    for other in MORE_OF_GO:
        if other != name:
            shutil.rmtree(folder / other)
    _run(["go", "mod", "init", "quarq.bench"], log, cwd=folder)
    modules = (*peer.packages, *MORE_OF_GO[name], "golang.org/x/sys")
    _run(["go", "get", *(f"{module}@latest" for module in modules)], log, cwd=folder)
    _run(["go", "mod", "tidy"], log, cwd=folder)
    _run(["go", "build", "-o", program, f"./{name}"], log, cwd=folder)


def install(peer):
    """Installs what the peer needs and is not there. Throws Absent."""
    if peer.by == "ours":
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    log = BUILT / f"{peer.driver or peer.name}.log"
    try:
        _check_programs(peer)
        {"pip": _pip, "npm": _npm, "go": _go, "apt": lambda *_: None}[peer.by](peer, log)
    except OSError as error:
        raise Absent(str(error)) from None


def _output(command, **options):
    try:
        return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False, **options).stdout.strip()
    except OSError:
        return ""


def version(peer):
    """The version that is installed, or "?"."""
    name = peer.driver or peer.name
    if peer.by == "pip":
        package = peer.packages[0]
        found = _output([BUILT / name / "bin/python", "-c",
                         f"import importlib.metadata as m; print(m.version({package!r}))"])
        if peer.server == "beanstalkd":
            return f"{_output(['beanstalkd', '-v']).removeprefix('beanstalkd ')} (greenstalk {found})"
        return found or "?"
    if peer.by == "npm":
        path = BUILT / name / "node_modules" / peer.packages[0] / "package.json"
        return json.loads(path.read_text())["version"]
    if peer.by == "go":
        found = _output(["go", "list", "-m", "-f", "{{.Version}}", peer.packages[0]], cwd=BUILT / "go" / f"module-{name}")
        return found.removeprefix("v") or "?"
    if peer.by == "apt":
        return _output(["dpkg-query", "-W", "-f=${Version}", peer.packages[0]]).split("+")[0] or "?"
    return _output(["git", "-C", DRIVERS, "describe", "--always", "--dirty"]) or "?"


def versions_of_the_rest():
    """Of servers and languages."""
    def number(command):
        found = re.search(r"\d+(\.\d+)+", _output(command))
        return found.group() if found else None

    redis, postgres = shutil.which("redis-server"), servers.Postgres.program("postgres")
    programs = {"Redis": [redis, "--version"] if redis else None, "PostgreSQL": [postgres, "--version"],
                "Python": ["python3", "--version"], "node": ["node", "--version"], "Go": ["go", "version"],
                "Ruby": ["ruby", "--version"], "g++": ["g++", "-dumpfullversion"]}
    return {name: number(command) for name, command in programs.items() if command and shutil.which(command[0])}


