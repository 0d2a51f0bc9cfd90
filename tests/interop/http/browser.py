"""Chromium visits our server; browser.mjs says what it does there.

    browser.py PROGRAMS
"""

import os
import pathlib
import sys
import wave

import lab
from lab import check

PAGE = """<!doctype html><meta charset="utf-8"><title>Letters</title><script src="script.js"></script>"""
PLAYWRIGHT = lab.FOLDER.parents[2] / "build/node-peers/node_modules/playwright-core"


def main():
    programs = sys.argv[1]
    node, chromium = lab.need("node"), lab.need("chromium")
    if not PLAYWRIGHT.exists():
        lab.skip("playwright-core is not in build/node-peers")
    folder = lab.temporary_folder()
    (folder / "index.html").write_text(PAGE)
    (folder / "script.js").write_text("window.loaded = true;")
    (folder / "letters").write_text("abcdefghijklmnopqrstuvwxyz" * 100_000)
    with wave.open(str(folder / "tone.wav"), "wb") as tone:
        tone.setnchannels(1)
        tone.setsampwidth(2)
        tone.setframerate(48_000)
        tone.writeframes(b"\0\x10" * 24 * 60_000 + b"\0\0" * 24 * 60_000)
    other = lab.Site(programs)
    site = lab.Site(programs, files=folder, cors=f"http://localhost:{other.port}")
    home = lab.temporary_folder()
    code, said = lab.run([node, lab.FOLDER / "browser.mjs", PLAYWRIGHT, chromium, site.port, other.port], 240,
                         environment={"PATH": os.environ["PATH"], "HOME": str(home)})
    print(said, flush=True)
    check(code == 0, f"browser.mjs ended with {code}")
    seen = [(s["method"], s["target"]) for s in site.seen()]
    check(("OPTIONS", "/value/7") in seen, "there was no preflight request")
    check(("PUT", "/value/7") not in [(s["method"], s["target"]) for s in other.seen()],
          "what was not allowed came through")
    lab.finish()


main()
