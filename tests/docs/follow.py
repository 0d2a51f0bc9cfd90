#!/usr/bin/env python3
"""follow.py PAGE BUILD WORK: does what a reader of this page does, and compares what comes of it with what it says.

BUILD is a build tree of quarq, which is installed into WORK first; then the page's blocks are followed from top to
bottom in the folder WORK/PAGE, with that installation on the paths.

- A block whose first line is `// complete: NAME` or `# complete: NAME` is written to that file.
- Of a ```console block the lines that begin with "$ " are run, one after another. The lines below a command are what
  it prints, on its standard output and error; a line "..." stands for any lines; where there are none, anything may
  be printed. A line that begins with six blanks or more continues the one above it. A command that fails fails the
  test. Times, durations, job ids and process ids may differ, and so may the number of blanks.

Comments on the line above a block, which a reader does not see, say what a reader does without being asked:

    <!-- run: no -->                this is not run (it needs root, or another machine)
    <!-- run: background NAME -->   the command is left running; the lines are waited for
    <!-- run: seen NAME -->         these lines are what the command NAME has printed meanwhile
    <!-- run: until -->             repeated until it prints these lines, since something else has to happen first
    <!-- run: fails -->             its last command ends with an error
    <!-- run: unit -->              a systemd unit: its ExecStart is run with its Environment, and ended by SIGTERM
    <!-- run: stop NAME -->         (needs no block) SIGTERM for that command, which must end in order

redis://127.0.0.1:6379 is a private server.
"""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/tests"))
from processes import finish, redis_server, start  # noqa: E402

TIMEOUT = 60  # seconds, for whatever has to happen
PUBLIC_REDIS = "redis://127.0.0.1:6379"
STEP = re.compile(r"^<!-- run: (?P<order>.*?) -->$|^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S)
NAMED = re.compile(r"\A(?://|#) complete: (\S+)\n")
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "DATE"),
    (re.compile(r"\d\d:\d\d:\d\d\.\d{3}"), "TIME"),
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b"), "JOB"),
    (re.compile(r"\bprocess \d+"), "PROCESS"),
    (re.compile(r"\b[\w.-]+:\d+\b(?=[ )\]]|$)"), "WORKER"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:us|µs|ms|s|min)\b(?: \d+ s\b)?"), "DURATION"),
    (re.compile(r"\s+"), " "),
]


def comparable(line):
    for pattern, word in VOLATILE:
        line = pattern.sub(word, line)
    return line.strip()


def joined(lines):
    """The lines, with those that continue another one behind it."""
    return re.sub(r"\n {6,}", " ", "\n".join(lines)).split("\n") if lines else []


def is_as_shown(printed, shown):
    """Whether these lines are those of the page, where "..." is any number of lines."""
    pattern = "".join("(?:[^\n]*\n)*" if line.strip() == "..." else re.escape(comparable(line)) + "\n"
                      for line in shown)
    return re.fullmatch(pattern, "".join(comparable(line) + "\n" for line in printed)) is not None


class Background:
    """A command that goes on while the reader does."""

    def __init__(self, command, options, shown_as):
        self.lines = []
        self.shown_as = shown_as
        self.process = start(["bash", "-c", "exec " + command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, **options)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n").replace(*self.shown_as))

    def wait_for(self, shown):
        deadline = time.monotonic() + TIMEOUT
        while True:
            printed = list(self.lines)
            rest = iter(comparable(line) for line in printed)
            if all(line.strip() == "..." or comparable(line) in rest for line in shown):
                return printed
            if time.monotonic() > deadline or (self.process.poll() is not None and not self.reader.is_alive()):
                return None
            time.sleep(0.02)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(TIMEOUT)
        self.reader.join()
        return code


class Reader:
    def __init__(self, page, build, work):
        self.page = page
        self.text = page.read_text(encoding="utf-8")
        self.work = work / page.stem
        self.installed = work / "installed"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        subprocess.run(["cmake", "--install", build, "--prefix", self.installed], check=True,
                       stdout=subprocess.DEVNULL)
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("QUARQ_") and (key != "CMAKE_CXX_COMPILER_LAUNCHER" or value)}
        self.environment["PATH"] = f"{self.installed}/bin:{os.environ['PATH']}"
        self.environment["CMAKE_PREFIX_PATH"] = str(self.installed)
        self.environment["COLUMNS"] = "120"
        self.running = {}
        self.redis = PUBLIC_REDIS

    def options(self):
        return {"cwd": self.work, "env": self.environment}

    def fail(self, at, what):
        line = self.text.count("\n", 0, at) + 1
        raise SystemExit(f"{self.page}:{line}: {what}")

    def follow(self):
        order = ""
        for step in STEP.finditer(self.text):
            if step["order"] is not None:
                order = step["order"]
                if order.startswith("stop "):
                    self.stop(step.start(), order.removeprefix("stop "))
                    order = ""
                continue
            named = NAMED.match(step["body"])
            if order == "no":
                pass
            elif order.startswith("seen "):
                self.see(step.start(), order.removeprefix("seen "), joined(step["body"].splitlines()))
            elif named:
                (self.work / named[1]).write_text(step["body"][named.end():], encoding="utf-8")
                if order == "unit":
                    self.start_unit(step.start(), step["body"])
            elif step["kind"] == "console":
                self.run(step.start("body"), step["body"], order)
            else:
                self.fail(step.start(), "this block is neither a file (\"complete: NAME\") nor to be run")
            order = ""
        for name, one in self.running.items():  # the reader would leave it behind
            self.fail(len(self.text), f"{name} was started and never stopped; it said:\n" + "\n".join(one.lines))

    def commands_of(self, at, body):
        """Yields where each command stands, the command, and the lines below it."""
        commands = re.split(r"^\$ ", body, flags=re.M)
        if commands[0].strip():
            self.fail(at, "a console block begins with a command: \"$ ...\"")
        at += len(commands[0])
        for command in commands[1:]:
            first, *shown = command.rstrip("\n").split("\n")
            while first.endswith("\\"):
                first = first[:-1] + shown.pop(0)
            yield at, first, joined(shown)
            at += len("$ ") + len(command)

    def run(self, at, body, order):
        steps = list(self.commands_of(at, body))
        for number, (here, command, shown) in enumerate(steps):
            print(f"$ {command}", flush=True)
            command = command.replace(PUBLIC_REDIS, self.redis)
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                self.environment[name] = value
            elif order.startswith("background "):
                self.start_in_background(here, order.removeprefix("background "), command, shown)
            else:
                fails = order == "fails" and number == len(steps) - 1
                self.run_one(here, command, shown, fails, repeat=order == "until")

    def run_one(self, at, command, shown, fails, repeat):
        deadline = time.monotonic() + TIMEOUT
        while True:
            process = start(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            **self.options())
            output, code = finish(process, 600)
            output = output.replace(self.redis, PUBLIC_REDIS)
            right_code = (code != 0) == fails
            if right_code and (not shown or is_as_shown(output.splitlines(), shown)):
                print(output, end="", flush=True)
                return
            if not repeat or time.monotonic() > deadline:
                wrong = "this is not what the page shows" if right_code else f"exit code {code}"
                self.fail(at, f"{wrong}: $ {command}\n{output}")
            time.sleep(0.1)

    def start_in_background(self, at, name, command, shown):
        self.running[name] = Background(command, self.options(), (self.redis, PUBLIC_REDIS))
        self.see(at, name, shown)

    def see(self, at, name, shown):
        if self.running[name].wait_for(shown) is None:
            self.fail(at, f"{name} did not print these lines; it said:\n" + "\n".join(self.running[name].lines))

    def stop(self, at, name):
        one = self.running.pop(name)
        code = one.stop()
        print("\n".join(one.lines[-20:]), flush=True)
        if code != 0:
            self.fail(at, f"{name}: exit code {code} after SIGTERM")

    def start_unit(self, at, body):
        settings = dict(re.findall(r"^(ExecStart|Environment|WorkingDirectory)=(.*)$", body, re.M))
        program, *arguments = shlex.split(settings["ExecStart"])
        name, _, value = settings["Environment"].partition("=")
        self.environment[name] = value.replace(PUBLIC_REDIS, self.redis)
        command = shlex.join(["build/" + pathlib.PurePath(program).name, *arguments])
        one = Background(command, self.options(), (self.redis, PUBLIC_REDIS))
        try:
            if one.wait_for([]) is None or not self.says(one, " serves "):
                self.fail(at, "the unit's program does not start; it said:\n" + "\n".join(one.lines))
        finally:
            code = one.stop()
        if code != 0:
            self.fail(at, f"the unit's program: exit code {code} after SIGTERM")

    @staticmethod
    def says(one, text):
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline and one.process.poll() is None:
            if any(text in line for line in one.lines):
                return True
            time.sleep(0.02)
        return False


def main(page, build, work):
    work.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        reader = Reader(page, build, work)
        if PUBLIC_REDIS in reader.text:
            socket_folder = stack.enter_context(short_folder())
            reader.redis = f"redis+unix://{stack.enter_context(redis_server(socket_folder))}"
        try:
            reader.follow()
        finally:
            for one in reader.running.values():
                one.process.kill()


@contextlib.contextmanager
def short_folder():
    """The name of a socket has at most 107 bytes."""
    folder = pathlib.Path(f"/tmp/quarq-docs-{os.getpid()}")
    folder.mkdir()
    try:
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:]))
