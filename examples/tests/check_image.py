#!/usr/bin/env python3
"""check_image.py DOCKERFILE PROGRAM: the packages that the image installs have to contain all shared libraries that the
program is linked with. Skipped (77) where this is another release than the image's: packages have other names there."""
import os
import re
import platform
import subprocess
import sys

BASE = {"libc6", "libgcc-s1"}  # in every Debian image


def packages_of(program):
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for path in re.findall(r"=> (/\S+)", linked):
        path = os.path.realpath(path)
        names = (path, path.removeprefix("/usr"))  # before /lib became a link, packages had their files there
        owner = next((run.stdout for run in (subprocess.run(["dpkg", "-S", name], capture_output=True, text=True)
                                             for name in names) if run.returncode == 0), None)
        if owner is None:
            raise SystemExit(f"no package has {path}")
        yield owner.split(":")[0]


def main(dockerfile, program):
    with open(dockerfile, encoding="utf-8") as file:
        last_stage = file.read().rsplit("\nFROM ", 1)[1]
    image = re.match(r"debian:(\d+)", last_stage)[1]
    here = platform.freedesktop_os_release()
    if (here["ID"], here.get("VERSION_ID")) != ("debian", image):
        print(f"the image is of Debian {image}, and this is {here['PRETTY_NAME']}")
        sys.exit(77)
    installed = set(re.search(r"apt-get install (.*?)&&", last_stage, re.S)[1].replace("\\\n", " ").split())
    needed = set(packages_of(program)) - BASE
    if needed - installed:
        raise SystemExit(f"{dockerfile} does not install {', '.join(sorted(needed - installed))}")
    print(f"{program} needs {', '.join(sorted(needed))}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
