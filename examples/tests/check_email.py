#!/usr/bin/env python3
"""check_email.py BIN sqlite|redis [--emails N] [--kills K] ...: sends a campaign through an API that misbehaves, while
workers are killed (SIGKILL), and checks what came of it: each e-mail was accepted, none was sent twice, it took at most
1.2 requests each, and the rate was never exceeded by more than 5 %. BIN has the programs of examples/28_email.

With --bench there is no rate, nobody is killed, and the figures are what matters."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import tempfile
import time
import urllib.request

from processes import finish, redis_server, start


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("broker", choices=["sqlite", "redis"])
    parser.add_argument("--emails", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--rate", type=int, default=250, help="requests a second, of all workers together")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--concurrency", type=int, default=12, help="e-mails under way in each worker")
    parser.add_argument("--lease", type=int, default=2, help="seconds until a killed worker's jobs are given to others")
    parser.add_argument("--seed", type=int, default=1, help="decides which workers are killed")
    parser.add_argument("--bench", action="store_true")
    return parser.parse_args()


def require(holds, what):
    if not holds:
        raise SystemExit(f"check_email: {what}")


class Campaign:
    """The programs of one run, and what they work with."""

    def __init__(self, options, folder, broker):
        self.options = options
        self.random = random.Random(options.seed)
        self.log = open(folder / "log", "w+", encoding="utf-8", errors="replace")
        self.environment = {**os.environ, "QUARQ_BROKER": broker, "NO_PROXY": "*",
                            "MAIL_RATE": str(10**6 if options.bench else options.rate // options.workers)}
        self.api = start([options.bin / "email-api", "--port", 0], stderr=subprocess.PIPE, text=True)
        self.address = re.search(r"listening on (\S+)", self.api.stderr.readline())[1]
        self.environment["MAIL_API"] = self.address
        self.workers = [self.start_worker() for _ in range(options.workers)]
        self.killed = 0

    def start_worker(self):
        return start([self.options.bin / "email-worker", "--concurrency", self.options.concurrency, "--lease",
                      self.options.lease, "--log-level", "warn"], env=self.environment, stderr=self.log)

    def kill_one(self):
        place = self.random.randrange(len(self.workers))
        self.workers[place].kill()
        self.workers[place].wait()
        self.workers[place] = self.start_worker()
        self.killed += 1

    def report(self):
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.address + "/report",
                                                                               timeout=60) as answer:
            return json.load(answer)

    def run_client(self):
        """Its output; kills workers in even parts of the way."""
        options = self.options
        client = start([options.bin / "email-client", "spring", options.emails], env=self.environment,
                       stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60 + options.emails / (100 if options.bench else options.rate / 4)
        while client.poll() is None:
            require(time.monotonic() < deadline, f"the campaign does not end: {self.report()}\n{self.last_lines()}")
            if self.killed < options.kills and not options.bench:
                due = options.emails * (self.killed + 1) // (options.kills + 1)
                if self.report()["accepted"] >= due:
                    self.kill_one()
            time.sleep(0.02)
        output, code = finish(client, 60)
        require(code == 0, f"the client ended with {code}:\n{output}\n{self.last_lines()}")
        return output

    def last_lines(self):
        self.log.seek(0)
        return "".join(self.log.readlines()[-20:])

    def cpu_seconds(self):
        """What worker and API have used up to now, each; and all clients that have ended."""
        def of(process):
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"worker": sum(of(w) for w in self.workers), "API": of(self.api),
                "client": ended.ru_utime + ended.ru_stime}

    def end(self):
        for program in (*self.workers, self.api):
            program.send_signal(signal.SIGTERM)
        for program in (*self.workers, self.api):
            _, code = finish(program, 60)
            require(code == 0, f"{program.args[0]} ended with {code}:\n{self.last_lines()}")


def check(options, report):
    emails = options.emails
    require(report["accepted"] == emails, f"{report['accepted']} of {emails} e-mails were accepted")
    require(report["sent_twice"] == 0, f"{report['sent_twice']} e-mails were sent twice")
    require(report["requests"] <= 1.2 * emails, f"{report['requests'] / emails:.3f} requests for each e-mail")
    if not options.bench:
        require(report["max_in_5s"] <= 1.05 * 5 * options.rate,
                f"{report['max_in_5s']} requests came within 5 s: {report['max_in_5s'] / 5 / options.rate:.3f} of the rate")
        require(report["misbehaved"] > 0.02 * emails, f"the API misbehaved {report['misbehaved']} times only")


def describe(options, campaign, report, took):
    each = report["requests"] / options.emails
    line = f"{options.broker}: {options.emails} e-mails in {took:.1f} s, {options.emails / took:.0f} a second; " \
           f"{each:.3f} requests each, {report['repeated']} known again by their key"
    if options.bench:
        line += "; CPU time each: " + ", ".join(f"{name} {seconds / options.emails * 1e6:.0f} us"
                                               for name, seconds in campaign.cpu_seconds().items())
    else:
        line += f"; {campaign.killed} workers killed; at most {report['max_in_5s'] / 5 / options.rate:.3f} of the rate " \
                f"within 5 s, {report['max_in_1s'] / options.rate:.3f} within 1 s"
    print(line, flush=True)


def run(options, folder, broker):
    campaign = Campaign(options, folder, broker)
    began = time.monotonic()
    campaign.run_client()
    took = time.monotonic() - began
    report = campaign.report()
    describe(options, campaign, report, took)
    check(options, report)
    if not options.bench:
        require(campaign.killed == options.kills, f"{campaign.killed} workers were killed, not {options.kills}")
        # Once more: all is known, and nothing is sent.
        again = campaign.run_client()
        require(f"{options.emails} known before" in again, f"the second time the client says:\n{again}")
        require(campaign.report()["requests"] == report["requests"], "something was sent again")
    campaign.end()


def main(options):
    with tempfile.TemporaryDirectory(prefix="quarq-example-") as folder, contextlib.ExitStack() as stack:
        if options.broker == "redis":
            broker = "redis+unix://" + stack.enter_context(redis_server(folder))
        else:
            broker = f"sqlite:{folder}/jobs.db"
        run(options, pathlib.Path(folder), broker)


if __name__ == "__main__":
    main(arguments())
