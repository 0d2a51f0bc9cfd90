// graphile-worker, on PostgreSQL. Fast: its local queue of 500 jobs, 24 at once, completions sent together; by default
// one job at a time. It keeps no results.
import { makeWorkerUtils, run } from 'graphile-worker';
import { hold, main, FAST, URL_OF_SERVER, ran } from './driver.mjs';

const quiet = new (await import('graphile-worker')).Logger(() => () => {});
let utils;

await main({
  async open() {
    utils = await makeWorkerUtils({ connectionString: URL_OF_SERVER, logger: quiet });
    await utils.migrate();
  },
  close: () => utils.release(),
  enqueue: (task, text) => utils.addJob(task, { text }),
  enqueueMany: (task, texts) => utils.addJobs(texts.map(text => ({ identifier: task, payload: { text } }))),
  async work() {
    const fast = {
      concurrency: 24,
      preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    };
    const runner = await run({
      connectionString: URL_OF_SERVER,
      logger: quiet,
      noHandleSignals: true,
      taskList: {
        noop: payload => ran(payload.text),
        hold: async payload => {
          ran(payload.text);
          await hold();
        },
      },
      ...(FAST ? fast : {}),
    });
    return () => runner.stop();
  },
});
