// BullMQ in the four scenarios of bullmq-bench, as its suite has them (github.com/taskforcesh/bullmq-bench,
// src/bullmq-suite.ts): node bullmq_scenarios.mjs NAME, with BENCH_URL in the environment. Prints {"jobs", "seconds"}.
// The other side is scenarios.cpp.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { Queue, Worker } from 'bullmq';

const SCENARIOS = {
  'queue-add': { warmUp: 1000, jobs: 1000, width: 10, depth: 10 },
  'queue-add-bulk': { warmUp: 1000, jobs: 10000, bulk: 50, width: 1, depth: 1 },
  'worker-generic': { warmUp: 1000, jobs: 1000, bulk: 100, width: 1, depth: 1, worker: {} },
  'worker-concurrent': { warmUp: 1000, jobs: 10000, bulk: 100, width: 1, depth: 1, worker: { concurrency: 100 } },
};

const { hostname, port } = new URL(process.env.BENCH_URL);
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };

function sample(width, depth) {
  const all = {};
  for (let i = 0; i < width; ++i) {
    let at = all[randomUUID()] = {};
    for (let k = 1; k < depth; ++k) at = at[randomUUID()] = {};
  }
  return all;
}

async function enqueue(queue, count, bulk, data) {
  for (let sent = 0; sent < count;) {
    if (!bulk) {
      await queue.add('test', data, {});
      ++sent;
      continue;
    }
    const some = Array.from({ length: Math.min(bulk, count - sent) }, () => ({ name: 'test', data, opts: {} }));
    await queue.addBulk(some);
    sent += some.length;
  }
}

// From the start of the last job that warms up to that of the last one.
function run({ warmUp, jobs, width, depth, worker }) {
  const result = sample(width, depth);
  let ran = 0, start = 0;
  return new Promise(done => {
    new Worker('scenario', async () => {
      if (++ran === warmUp) start = performance.now();
      if (ran === warmUp + jobs) done((performance.now() - start) / 1e3);
      return result;
    }, { ...worker, connection });
  });
}

const scenario = SCENARIOS[process.argv[2]];
const queue = new Queue('scenario', { connection });
await queue.waitUntilReady();
const data = sample(scenario.width, scenario.depth);
let seconds;
if (scenario.worker) {
  await enqueue(queue, scenario.warmUp + scenario.jobs, scenario.bulk, data);
  seconds = await run(scenario);
} else {
  await enqueue(queue, scenario.warmUp, scenario.bulk, data);
  const start = performance.now();
  await enqueue(queue, scenario.jobs, scenario.bulk, data);
  seconds = (performance.now() - start) / 1e3;
}
fs.writeSync(1, JSON.stringify({ jobs: scenario.jobs, seconds }));
process.exit(0);
