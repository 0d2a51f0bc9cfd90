#!/usr/bin/env python3
"""check.py PRINTERS SOURCE PROGRAM: runs the program in gdb, and compares what gdb prints for each variable with the
comment "// gdb: NAME: TEXT". Ends with 77, which ctest takes for "skipped", where there is no gdb with Python, or
it may not trace programs; in CI that is a failure."""
import os
import re
import subprocess
import sys

WANTED = re.compile(r"^ +// gdb: (?P<name>\w+): (?P<text>.*)$")
OF_REFERENCE = re.compile(r"\([^@]*&\) @0x[0-9a-f]+: ")
GDB = ["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-ex", "set debuginfod enabled off", "-ex",
       "set startup-with-shell off", "-ex", "set disable-randomization off"]


def gdb(*arguments):
    return subprocess.run([*GDB, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(1 if os.environ.get("CI") else 77)


def wanted_of(source):
    with open(source, encoding="utf-8") as file:
        matches = [match for match in map(WANTED.match, file) if match]
    return {match["name"]: match["text"] for match in matches}


def is_shown(wanted, shown):
    parts = [re.escape(part) for part in re.split(r"<[^<>]+>", wanted)]
    return re.fullmatch("[^\n]+".join(parts), OF_REFERENCE.sub("", shown, 1)) is not None


def main(printers, source, program):
    try:
        if "has python" not in gdb("-ex", "python print('has python')").stdout:
            skip("this gdb has no Python")
    except FileNotFoundError:
        skip("there is no gdb: ./dev deps test installs it")
    wanted = wanted_of(source)
    # The standard library's own printers, which show what is inside of ours.
    own = "python import sys, glob; sys.path[:0] = glob.glob('/usr/share/gcc*/python')"
    use = "python from libstdcxx.v6.printers import register_libstdcxx_printers; register_libstdcxx_printers(None)"
    run = gdb(program, "-ex", own, "-ex", use, "-ex", f"source {printers}", "-ex", "break stop_here", "-ex", "run",
              "-ex", "up", *(part for name in wanted for part in ("-ex", f"echo @{name}@", "-ex", f"output {name}",
                                                                  "-ex", "echo @end@\\n")))
    if "ptrace" in run.stderr and "not permitted" in run.stderr:
        skip("programs may not be traced here")
    shown = dict(re.findall(r"@(\w+)@(.*?)@end@", run.stdout, re.S))
    wrong = [f"{name}: expected {text}\n{' ' * len(name)}       got {shown.get(name, 'nothing')}"
             for name, text in wanted.items() if not is_shown(text, shown.get(name, ""))]
    print("\n".join([f"{len(wanted)} values, {len(wrong)} are not shown as they should be", *wrong]))
    if wrong:
        print(run.stdout, run.stderr, sep="\n")
    return bool(wrong) or not wanted


sys.exit(main(*sys.argv[1:]))
