// What the tests with Chromium share: the browser, and checks of which all are made.
import { createRequire } from 'node:module';

let failures = 0;

export function check(holds, what) {
  if (holds) return;
  ++failures;
  console.log(`FAILED: ${what}`);
}

export const same = (got, expected, what) =>
  check(JSON.stringify(got) === JSON.stringify(expected), `${what}: ${JSON.stringify(got)}`);

// `playwright` is the folder of playwright-core, `chromium` the browser's program.
export const launch = (playwright, chromium) =>
  createRequire(import.meta.url)(playwright).chromium.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--no-proxy-server', '--disable-gpu', '--disable-dev-shm-usage'],
  });

// Prints "ok", or how many checks have failed, and ends with 1 then.
export function finish() {
  console.log(failures === 0 ? 'ok' : `${failures} failed`);
  process.exit(failures === 0 ? 0 : 1);
}
