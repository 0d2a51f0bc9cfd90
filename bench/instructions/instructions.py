#!/usr/bin/env python3
"""instructions.py PROGRAM [--record]: counts the instructions of quarq's hot paths under callgrind, and compares them to
recorded.json beside this file. PROGRAM is quarq-instructions, built in release.

Instructions do not depend on what else the machine does, so a few percent more are a change of the code. They do depend on
the compiler and the libraries: with others than those recorded, nothing is compared. Ends with 1 if a path has grown by
more than 3 %. --record writes the counts of this run."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RECORDED = HERE / "recorded.json"
PROFILES = HERE.parent.parent / "build/instructions"
TOLERANCE_PERCENT = 3
# How the allocator finds its memory depends on what was freed before: it keeps all small blocks for the next who asks, and
# gives nothing back. So what counts is how often memory is asked for.
ALLOCATOR = ("glibc.malloc.tcache_count=60000:glibc.malloc.mxfast=0:glibc.malloc.arena_max=1:"
             "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2147483648:glibc.malloc.top_pad=67108864")
DEADLINE = 900  # seconds; an idle machine takes fifteen


def trigger_and_count(text):
    """(path, instructions) of a profile that the program asked for; None for the one of callgrind's end."""
    trigger = re.search(r"^desc: Trigger: Client Request: (.+)$", text, re.M)
    count = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
    return (trigger.group(1), int(count.group(1))) if trigger and count else None


def middle(profiles):
    """{path: (instructions, profile)} of (path, instructions, profile): the median of all walks of a path."""
    walks = {}
    for path, count, profile in profiles:
        walks.setdefault(path, []).append((count, profile))
    return {path: sorted(some, key=lambda walk: walk[0])[(len(some) - 1) // 2] for path, some in walks.items()}


def differences(recorded, now):
    """What is different between two environments, as clauses."""
    names = sorted({*recorded, *now})
    return [f"{name} is {now.get(name, 'absent')}, not {recorded.get(name, 'absent')}" for name in names
            if recorded.get(name) != now.get(name)]


def compare(recorded, counted):
    """(lines of a table, lines that say what is wrong, whether something has become cheaper)."""
    table, wrong, cheaper = [], [], False
    for path in sorted({*recorded, *counted}):
        if path not in counted:
            wrong.append(f"{path}: is recorded, and was not counted")
        elif path not in recorded:
            wrong.append(f"{path}: {counted[path]:,}, and nothing is recorded")
        else:
            change = counted[path] / recorded[path] - 1
            allowed = recorded[path] * TOLERANCE_PERCENT
            table.append(f"{path:44} {counted[path]:>10,} {change:>+8.1%}")
            if 100 * (counted[path] - recorded[path]) > allowed:
                wrong.append(f"{path}: {counted[path]:,} instructions, {recorded[path]:,} are recorded: {100 * change:.1f} % more, "
                             f"{TOLERANCE_PERCENT} % are allowed; see callgrind_annotate {profile_name(path)}")
            cheaper = cheaper or 100 * (recorded[path] - counted[path]) > allowed
    return table, wrong, cheaper


def profile_name(path):
    return f"build/instructions/{re.sub(r'[^a-z0-9]+', '-', path.lower())}.callgrind"


def without_randomised_addresses():
    works = shutil.which("setarch") and subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL,
                                                       check=False).returncode == 0
    return ["setarch", "-R"] if works else []


def environment_of(process):
    """The same for everybody: even its size moves the stack."""
    kept = {name: value for name, value in process.items() if name in ("QUARQ_TEST_REDIS_SERVER", "QUARQ_CI_RUN")}
    return {"PATH": process.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "LD_BIND_NOW": "1", "GLIBC_TUNABLES": ALLOCATOR,
            **kept}


def machine():
    """What the counts depend on beside what the program names."""
    version = subprocess.run(["valgrind", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    avx2 = " with AVX2" if re.search(r"^flags\s*:.*\bavx2\b", flags, re.M) else ""
    return {"valgrind": version.removeprefix("valgrind-"), "processor": os.uname().machine + avx2}


def count(program):
    """(environment, {path: instructions for one unit})"""
    shutil.rmtree(PROFILES, ignore_errors=True)
    PROFILES.mkdir(parents=True)
    done = subprocess.run([*without_randomised_addresses(), "valgrind", "--tool=callgrind", "--quiet",
                           f"--callgrind-out-file={PROFILES}/profile", program], stdout=subprocess.PIPE, text=True,
                          check=False, timeout=DEADLINE, env=environment_of(os.environ))
    if done.returncode:
        raise SystemExit(f"instructions: {program} failed under callgrind: see above")
    said = json.loads(done.stdout)
    found = [(*parts, file) for file in sorted(PROFILES.glob("profile.*"))
             if (parts := trigger_and_count(file.read_text(encoding="utf-8", errors="replace")))]
    best = middle(found)
    for path, (_, file) in best.items():
        file.rename(PROFILES.parent.parent / profile_name(path))
    for file in PROFILES.glob("profile*"):
        file.unlink()
    units = said["units"]
    return {**said["environment"], **machine()}, {path: round(total / units[path]) for path, (total, _) in best.items()}


def main(words):
    programs = [word for word in words if not word.startswith("-")]
    if len(programs) != 1 or set(words) - {*programs, "--record"}:
        raise SystemExit(__doc__)
    environment, counted = count(programs[0])
    if "--record" in words:
        RECORDED.write_text(json.dumps({"environment": environment, "instructions": counted}, indent=2, sort_keys=True) + "\n",
                            encoding="utf-8")
        print(f"instructions: {len(counted)} paths are recorded")
        return 0
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    if other := differences(recorded["environment"], environment):
        print(f"instructions: nothing is compared here: {'; '.join(other)}")
        return 0
    table, wrong, cheaper = compare(recorded["instructions"], counted)
    print("\n".join([f"{'instructions for one job, call or message':44} {'now':>10} {'change':>8}", *table]))
    if cheaper:
        print("instructions: where there are fewer, keep it so: ./dev instructions --record")
    for line in wrong:
        print(f"instructions: {line}", file=sys.stderr)
    if wrong:
        print("instructions: if that is meant, say why in the commit that has what ./dev instructions --record writes",
              file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
