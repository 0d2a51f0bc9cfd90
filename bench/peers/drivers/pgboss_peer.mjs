// pg-boss, on PostgreSQL. Fast: 1,000 jobs a fetch and a look each 500 ms, its least; by default one job each 2 s.
// Results are read by looking for them, so there is no round trip to measure.
import * as pgboss from 'pg-boss';
import { hold, main, FAST, URL_OF_SERVER, ran } from './driver.mjs';

// Versions for older nodes export it by default alone, and take the name with each job.
const named = Boolean(pgboss.PgBoss);
const PgBoss = pgboss.PgBoss ?? pgboss.default;
const boss = new PgBoss(URL_OF_SERVER);
boss.on('error', error => process.stderr.write(`${error.message}\n`));

async function open() {
  await boss.start();
  for (const name of ['noop', 'hold']) await boss.createQueue(name);
}

await main({
  open,
  close: () => boss.stop({ graceful: false }),
  enqueue: (task, text) => boss.send(task, { text }),
  enqueueMany: (task, texts) => (named ? boss.insert(task, texts.map(text => ({ data: { text } })))
    : boss.insert(texts.map(text => ({ name: task, data: { text } })))),
  async work() {
    await open();
    const options = FAST ? { batchSize: 1000, pollingIntervalSeconds: 0.5 } : {};
    for (const task of ['noop', 'hold']) {
      await boss.work(task, options, async jobs => {
        for (const job of jobs) ran(job.data.text);
        if (task === 'hold') await hold();
      });
    }
    return () => boss.stop({ graceful: true, timeout: 3000 });
  },
});
