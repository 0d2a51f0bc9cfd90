#!/usr/bin/env python3
"""compiling.py BUILD [--record]: what a model costs to compile, compared to compiling.json beside this file. BUILD is a build
directory, whose compiler is asked.

Seconds of a shared machine say little, so the compiler's own count of the memory that it allocated is compared: templates
that are instantiated, and code that is generated, take it, and time goes with it. So is the size of the object code. Both
depend on the compiler and its libraries: with others than those recorded, nothing is compared. What must hold everywhere is
a limit of the memory that g++ needs at once. Ends with 1 if something has grown by more than 3 %, or is above its limit."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import instructions

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORDED = HERE / "compiling.json"
TOLERANCE_PERCENT = 3
FEW, MANY = 1, 41  # models: their difference is what one costs, forty times
LIMIT_MB = 700     # of memory at once, with the many
DEADLINE = 600     # seconds

MODEL = """
struct model_@ {
  std::int64_t id = 0;
  std::string name, email, city, country;
  int age = 0;
  double height = 0;
  bool active = false;
  std::optional<std::string> note;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(model_@, (), (id, name, email, city, country, age, height, active, note, tags))
QUARQ_MODEL(model_@, field(&model_@::id).at_least(1), field(&model_@::name).length(1, 80),
            field(&model_@::email).format(format::email), field(&model_@::city).length(1, 40),
            field(&model_@::country).pattern("^[A-Z]{2}$"), field(&model_@::age).range(0, 150).defaulted(),
            field(&model_@::tags).length(0, 10), each(&model_@::tags).length(1, 20))
std::string use_@(std::string_view json) {
  return quarq::write_json(quarq::parse_json<model_@>(json));
}
"""
HEADERS = """#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <boost/describe.hpp>
#include <quarq/model.hpp>
"""
FLAGS = ["-std=c++20", "-O2", f"-I{ROOT}/include", "-DBOOST_ASIO_SEPARATE_COMPILATION", "-DBOOST_ASIO_NO_DEPRECATED"]
UNITS = {"": 1, "k": 1024, "M": 1024 * 1024, "G": 1024 ** 3}


def source_of(models):
    return HEADERS + "".join(MODEL.replace("@", str(n)) for n in range(models))


def allocated(report):
    """Bytes, of what g++ prints with -ftime-report."""
    found = re.search(r"^ TOTAL .* (\d+)([kMG]?)\s*$", report, re.M)
    if not found:
        raise SystemExit(f"compiling: there is no total in what the compiler says:\n{report}")
    return int(found.group(1)) * UNITS[found.group(2)]


def compiler_of(build):
    found = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.+)$", (pathlib.Path(build) / "CMakeCache.txt").read_text(encoding="utf-8"), re.M)
    return found.group(1)


def environment_of(compiler):
    """What the costs depend on."""
    macros = subprocess.run([compiler, "-std=c++20", "-E", "-dM", "-x", "c++", "-"], stdout=subprocess.PIPE, text=True, check=True,
                            input="#include <boost/version.hpp>\n#include <string>\n").stdout
    value = {name: (re.search(rf"^#define {name} (.+)$", macros, re.M) or ["", "absent"])[1].strip('"')
             for name in ("__VERSION__", "__clang__", "__GLIBCXX__", "BOOST_LIB_VERSION")}
    return {"compiler": value["__VERSION__"], "libstdc++": value["__GLIBCXX__"], "Boost": value["BOOST_LIB_VERSION"],
            "processor": os.uname().machine}


def compile_models(compiler, models, folder):
    """(bytes that the compiler allocated, bytes of object code, KiB of memory at once)"""
    source, result = folder / f"{models}.cpp", folder / f"{models}.o"
    source.write_text(source_of(models), encoding="utf-8")
    command = [compiler, *FLAGS, "-ftime-report", "-c", source.name, "-o", result.name]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env={**os.environ, "LC_ALL": "C"})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        report = said.read()
    if process.returncode:
        raise SystemExit(f"compiling: {' '.join(map(str, command))} failed:\n{report}")
    sizes = subprocess.run(["size", result], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[1].split()
    return allocated(report), sum(map(int, sizes[:3])), used.ru_maxrss


def measure(compiler):
    """({what a model costs}, MB that g++ needs at once for the many)"""
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor() as both:
        folder = pathlib.Path(name)
        few, many = both.map(lambda models: compile_models(compiler, models, folder), (FEW, MANY))
    more = MANY - FEW
    return {"memory of the compiler, KiB": round((many[0] - few[0]) / more / 1024),
            "object code, bytes": round((many[1] - few[1]) / more)}, round(many[2] / 1024)


def compare(recorded, measured, at_once):
    """(lines of a table, lines that say what is wrong)"""
    table, wrong = [], []
    for what, now in measured.items():
        before = recorded[what]
        table.append(f"{what:44} {now:>10,} {now / before - 1:>+8.1%}")
        if 100 * (now - before) > before * TOLERANCE_PERCENT:
            wrong.append(f"a model of ten members: {what}: {now:,}, {before:,} are recorded, and {TOLERANCE_PERCENT} % more are allowed")
    if at_once > LIMIT_MB:
        wrong.append(f"{MANY} models of ten members: the compiler needs {at_once} MB at once, {LIMIT_MB} at most")
    return table, wrong


def main(words):
    builds = [word for word in words if not word.startswith("-")]
    if len(builds) != 1 or set(words) - {*builds, "--record"}:
        raise SystemExit(__doc__)
    compiler = compiler_of(builds[0])
    environment = environment_of(compiler)
    recorded = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {"environment": {}, "costs": {}}
    other = instructions.differences(recorded["environment"], environment)
    if other and "--record" not in words:
        print(f"compiling: nothing is compared here: {'; '.join(other)}")
        return 0
    measured, at_once = measure(compiler)
    if "--record" in words:
        RECORDED.write_text(json.dumps({"environment": environment, "costs": measured}, indent=2, sort_keys=True) + "\n",
                            encoding="utf-8")
        print(f"compiling: what a model costs is recorded; {MANY} need {at_once} MB at once")
        return 0
    table, wrong = compare(recorded["costs"], measured, at_once)
    print("\n".join([f"{'a model of ten members costs its compiler':44} {'now':>10} {'change':>8}", *table,
                     f"{f'{MANY} of them, MB at once':44} {at_once:>10,}"]))
    for line in wrong:
        print(f"compiling: {line}", file=sys.stderr)
    if wrong:
        print("compiling: if that is meant, say why in the commit that has what ./dev instructions --record writes", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
