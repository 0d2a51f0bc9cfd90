// What the drivers of node's peers share; driver.py says what a driver is. node cannot share memory with other
// programs, so a log in the ledger has an execution as two doubles: the job's number, and when it ran.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const URL_OF_SERVER = process.env.BENCH_URL;
export const FAST = (process.env.BENCH_CONFIG ?? 'fast') === 'fast';
const IN_FLIGHT = 50, BULK = 1000, HOLD_MS = 300_000;

const textOf = number => String(number).padStart(10, '0').padEnd(120, 'x');
const now = () => Number(process.hrtime.bigint());

let log, written = [];

function writeRan() {
  const bytes = Buffer.allocUnsafe(written.length * 8);
  written.forEach((value, at) => bytes.writeDoubleLE(value, at * 8));
  written = [];
  log ??= fs.openSync(path.join(process.env.BENCH_LEDGER, `${process.pid}.log`), 'a');
  fs.writeSync(log, bytes);
}

// All that ran in one turn of the loop is written at its end.
export function ran(text) {
  if (written.length === 0) setImmediate(writeRan);
  written.push(Number(text.slice(0, 10)), now());
}

export const hold = () => sleep(HOLD_MS);

function* numbers(first, count) {
  for (let n = first; n < first + count; ++n) yield n;
}

const send = {
  async one(peer, task, some) {
    for (const n of some) await peer.enqueue(task, textOf(n));
  },
  async in_flight(peer, task, some) {
    // They share one iterator, so each takes the next number.
    await Promise.all(Array.from({ length: IN_FLIGHT }, () => send.one(peer, task, some)));
  },
  async bulk(peer, task, some) {
    const all = [...some];
    for (let at = 0; at < all.length; at += BULK) await peer.enqueueMany(task, all.slice(at, at + BULK).map(textOf));
  },
};

async function fill(peer, task, mode, first, count) {
  const warm = count > 1 ? Math.max(1, Math.min(Math.floor(count / 10), BULK)) : 0;
  await send[mode](peer, task, numbers(first, warm));
  const start = performance.now();
  await send[mode](peer, task, numbers(first + warm, count - warm));
  return { jobs: count - warm, seconds: (performance.now() - start) / 1e3 };
}

async function pace(peer, first, count, rate) {
  const sent = [], underWay = [], start = now();
  for (let n = 0; n < count; ++n) {
    const left = start + n * 1e9 / rate - now();
    if (left > 0) await sleep(left / 1e6);
    sent.push(now());
    underWay.push(peer.enqueue('noop', textOf(first + n)));
  }
  await Promise.all(underWay);
  return { sent };
}

async function ask(peer, first, most, seconds) {
  const us = [], end = performance.now() + seconds * 1e3;
  for (let n = 0; n < most; ++n) {
    const start = performance.now();
    if (start > end) break;
    await peer.ask(textOf(first + n));
    us.push((performance.now() - start) * 1e3);
  }
  return { us };
}

export async function main(peer) {
  const [command, ...rest] = process.argv.slice(2);
  if (command === 'work') {
    const stop = await peer.work();
    process.on('SIGTERM', async () => {
      await stop?.();
      if (written.length) writeRan();
      process.exit(0);
    });
    return;
  }
  await peer.open?.();
  let answer;
  if (command === 'fill') answer = await fill(peer, rest[0], rest[1], Number(rest[2]), Number(rest[3]));
  else if (command === 'pace') answer = await pace(peer, ...rest.map(Number));
  else if (command === 'ask') answer = await ask(peer, ...rest.map(Number));
  else throw new Error(`no command ${command}`);
  await peer.close?.();
  fs.writeSync(1, JSON.stringify(answer));
  process.exit(0);
}
