// BullMQ. Fast: 100 jobs at once in place of 1, and nothing kept of noop.
import { Queue, QueueEvents, Worker } from 'bullmq';
import { hold, main, FAST, URL_OF_SERVER, ran } from './driver.mjs';

const { hostname, port } = new URL(URL_OF_SERVER);
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const kept = FAST ? { removeOnComplete: true } : {};
let queue, events;

await main({
  async open() {
    queue = new Queue('bench', { connection });
    await queue.waitUntilReady();
  },
  async close() {
    await events?.close();
    await queue.close();
  },
  enqueue: (task, text) => queue.add(task, { text }, kept),
  enqueueMany: (task, texts) => queue.addBulk(texts.map(text => ({ name: task, data: { text }, opts: kept }))),
  async ask(text) {
    if (!events) {
      events = new QueueEvents('bench', { connection });
      await events.waitUntilReady();
    }
    const job = await queue.add('ask', { text });
    await job.waitUntilFinished(events, 30000);
  },
  work() {
    const worker = new Worker('bench', async job => {
      ran(job.data.text);
      if (job.name === 'hold') await hold();
      return job.name === 'ask' ? job.data.text.length : undefined;
    }, { connection, ...(FAST ? { concurrency: 100 } : {}) });
    return () => worker.close();
  },
});
