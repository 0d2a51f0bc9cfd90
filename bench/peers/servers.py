"""Private servers: a free port on loopback, a folder of their own, no persistence where the server has a choice that
others have as well (Redis); PostgreSQL and SQLite write to disk as they do by default."""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

import processes


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def wait_for(what, ready, seconds=20):
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} was not ready after {seconds} s")
        time.sleep(0.01)


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """One server, and a new empty store in it for each run. `url` is what drivers get."""

    def __init__(self, cpus):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quarq-bench-"))
        self.port = free_port()
        self.process = None
        try:
            self.start(cpus)
        except BaseException:
            self.stop()
            raise

    def launch(self, command, cpus, env=None):
        self.process = processes.Process(command, cpus, self.folder / "log", env)
        wait_for(command[0], lambda: listens(self.port) or not self.process.running())
        if not self.process.running():
            raise RuntimeError(f"{command[0]} ended: {self.process.last_words()}")

    def stop(self):
        if self.process:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cpu_seconds(self):
        return processes.cpu_seconds(self.process.pid)

    def stored_bytes(self):
        """What the jobs in it occupy, with what it occupies anyway."""
        return processes.memory_mb(self.process.pid) * 1024 * 1024


class Redis(Server):
    def start(self, cpus):
        self.launch(["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                     "--dir", self.folder], cpus)
        self.url = f"redis://127.0.0.1:{self.port}"

    def stored_bytes(self):
        with socket.create_connection(("127.0.0.1", self.port)) as one:
            one.sendall(b"INFO memory\r\n")
            text = one.recv(65536).decode()
        return int(text.split("used_memory:")[1].split()[0])


class Arq(Redis):
    """Redis, with python-arq's keys in quarq's hands."""

    def start(self, cpus):
        super().start(cpus)
        self.url = f"arq://127.0.0.1:{self.port}"


class File(Server):
    """No server at all: quarq's SQLite file."""

    def start(self, cpus):
        self.url = f"sqlite:{self.folder}/jobs.db"

    def cpu_seconds(self):
        return 0.0

    def stored_bytes(self):
        return sum(file.stat().st_size for file in self.folder.glob("jobs.db*"))


class Beanstalkd(Server):
    def start(self, cpus):
        self.launch([shutil.which("beanstalkd") or "/usr/bin/beanstalkd", "-l", "127.0.0.1", "-p", self.port], cpus)
        self.url = f"beanstalk://127.0.0.1:{self.port}"


class Postgres(Server):
    """It refuses to run as root, so root runs it as nobody."""

    @classmethod
    def program(cls, name):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        return str(found[-1]) if found else shutil.which(name) or name

    def as_user(self, command):
        if os.geteuid() != 0:
            return command
        nobody = pwd.getpwnam("nobody")
        return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *command]

    def start(self, cpus):
        data = self.folder / "data"
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
        subprocess.run(self.as_user([self.program("initdb"), "-D", data, "-U", "bench", "--auth=trust", "--no-sync"]),
                       check=True, stdout=subprocess.DEVNULL, cwd="/", env={**os.environ, "LC_ALL": "C"})
        self.launch(self.as_user([self.program("postgres"), "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1",
                                  "-c", f"unix_socket_directories={self.folder}"]), cpus, {"LC_ALL": "C"})
        self.url = f"postgres://bench@127.0.0.1:{self.port}/postgres"
        wait_for("PostgreSQL", lambda: self._query("select 1") == "1")

    def _query(self, text):
        done = subprocess.run([self.program("psql"), "-XAtqc", text, self.url], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        return done.stdout.strip()

    def stored_bytes(self):
        return int(self._query("select pg_database_size('postgres')"))


KINDS = {"redis": Redis, "arq": Arq, "file": File, "beanstalkd": Beanstalkd, "postgres": Postgres}
