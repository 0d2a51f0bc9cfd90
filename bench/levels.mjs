// What node's worker_threads do where quarq's pool of threads does, as one JSON object of figures. quarq-bench levels
// runs it beside its own. node has no pool of its own: calls go to as many workers as there are processors, in turn, as
// the example in its documentation does.
import os from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const CORES = os.availableParallelism();
const TASKS = 100_000, CALLS = 10_000;

class Pool {
  constructor() {
    this.waiting = [];
    this.next = 0;
    this.workers = Array.from({ length: CORES }, () => {
      const worker = new Worker(new URL(import.meta.url));
      worker.on('message', ([at, value]) => {
        const done = this.waiting[at];
        this.waiting[at] = undefined;
        done(value);
      });
      return worker;
    });
  }

  run(value) {
    return new Promise(done => {
      const at = this.next++;
      this.waiting[at] = done;
      this.workers[at % CORES].postMessage([at, value]);
    });
  }

  close() {
    return Promise.all(this.workers.map(worker => worker.terminate()));
  }
}

async function measure() {
  const pool = new Pool();
  for (let i = 0; i < 1000; ++i) await pool.run(7);
  let start = performance.now();
  await Promise.all(Array.from({ length: TASKS }, () => pool.run(7)));
  const tasks_per_s = TASKS / (performance.now() - start) * 1e3;
  const us = [];
  for (let i = 0; i < CALLS; ++i) {
    start = performance.now();
    await pool.run(7);
    us.push((performance.now() - start) * 1e3);
  }
  us.sort((a, b) => a - b);
  await pool.close();
  return { tasks_per_s, call_p50_us: us[CALLS / 2], call_p99_us: us[CALLS * 99 / 100] };
}

if (isMainThread) console.log(JSON.stringify(await measure()));
else parentPort.on('message', ([at, value]) => parentPort.postMessage([at, value]));
