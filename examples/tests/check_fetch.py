#!/usr/bin/env python3
"""check_fetch.py PROGRAM: serves some pages, one of which is missing, and compares what the example prints."""
import http.server
import subprocess
import sys
import threading


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = int(self.path[1:])
        status, body = (404, b"no such page") if number == 7 else (200, b"x" * (number * 100))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main(program):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    urls = [f"http://127.0.0.1:{server.server_port}/{number}" for number in range(40)]
    expected = "".join(f"GET {url}: status 404: no such page\n" if number == 7 else f"{url}: {number * 100} bytes\n"
                       for number, url in enumerate(urls))
    result = subprocess.run([program, *urls], stdout=subprocess.PIPE, text=True, timeout=60)
    if (result.stdout, result.returncode) != (expected, 0):
        raise SystemExit(f"the example printed {result.stdout!r} and ended with {result.returncode}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
