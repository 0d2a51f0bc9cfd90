"""A worker of arq's, as tests use it: arq_worker.py --port N [options], with the functions of arq_functions.py.

Does to Redis what arq's worker does, command by command. Its log goes to stderr.
"""

import asyncio
import datetime as dt
import logging
import signal
import time

import redis.asyncio

import worker_options
from arq_functions import functions
from arq_wire import *

FUNCTIONS = functions(Retry)

log = logging.getLogger('arq.worker')


class Cron:
    """Runs in each second of `seconds`, a set; None: in every one."""

    def __init__(self, name, seconds=None, microsecond=123_456, run_at_startup=False, unique=True):
        self.name, self.seconds, self.microsecond = 'cron:' + name, seconds, microsecond
        self.run_at_startup, self.unique = run_at_startup, unique
        self.function = FUNCTIONS[name]
        self.next_run = None

    def next_after(self, previous):
        moment = previous.replace(microsecond=0) + dt.timedelta(seconds=1)
        while self.seconds is not None and moment.second not in self.seconds:
            moment += dt.timedelta(seconds=1)
        return moment + dt.timedelta(microseconds=self.microsecond)


class Worker:
    def __init__(self, o):
        self.o = o
        self.dumps, self.loads = SERIALIZERS[o.codec]
        self.redis = redis.asyncio.Redis(host='127.0.0.1', port=o.port)
        self.functions = {name: f for name, f in FUNCTIONS.items() if o.only is None or name in o.only}
        self.crons = [Cron(name, microsecond=o.microsecond, run_at_startup=o.run_at_startup) for name in o.cron]
        self.functions.update((c.name, c.function) for c in self.crons)
        self.tasks = {}  # by job id: from the claim to the end
        self.running = 0  # of these, those that have not ended
        self.job_tasks = {}  # the functions' own: what an abort cancels
        self.aborting = set()
        self.stopping = False  # a cancellation can get lost in a call to Redis
        self.complete = self.failed = self.retried = 0
        self.next_health = 0
        self.in_progress_ms = to_ms(o.job_timeout + 10)
        self.health_key = o.queue + ':health-check'

    async def run(self):
        await self.redis.ping()
        loop = asyncio.get_running_loop()
        main = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop, main)
        log.info('Starting worker for %d functions: %s', len(self.functions), ', '.join(self.functions))
        try:
            while not self.stopping:
                await self.poll()
                if self.o.burst and not await self.redis.zcard(self.o.queue):
                    break
                await asyncio.sleep(self.o.poll_delay)
        except asyncio.CancelledError:
            pass
        if self.tasks:
            await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        await self.redis.delete(self.health_key)
        log.info('stopped')

    def stop(self, main):
        """job_completion_wait is 0: all at once."""
        self.stopping = True
        for task in self.tasks.values():
            task.cancel()
        main.cancel()

    async def poll(self):
        if self.running < self.o.max_jobs:
            limit = max(self.o.max_jobs * 5, 100)
            ids = await self.redis.zrangebyscore(self.o.queue, float('-inf'), now_ms(), start=0, num=limit)
            await self.start_jobs([i.decode() for i in ids])
        if self.o.allow_abort_jobs:
            await self.cancel_aborted()
        for job_id, task in list(self.tasks.items()):
            if task.done():
                del self.tasks[job_id]
                task.result()
        await self.heart_beat()

    async def start_jobs(self, ids):
        for job_id in ids:
            if self.running >= self.o.max_jobs:
                return
            in_progress = IN_PROGRESS + job_id
            async with self.redis.pipeline(transaction=True) as pipe:
                await pipe.watch(in_progress)
                ongoing = await pipe.exists(in_progress)
                score = await pipe.zscore(self.o.queue, job_id)
                if ongoing or not score or score > now_ms():
                    log.debug('job %s already running elsewhere', job_id)
                    continue
                pipe.multi()
                pipe.psetex(in_progress, self.in_progress_ms, b'1')
                try:
                    await pipe.execute()
                except redis.exceptions.WatchError:
                    log.debug('multi-exec error, job %s already started elsewhere', job_id)
                    continue
            self.tasks[job_id] = asyncio.create_task(self.run_job(job_id, int(score)))
            self.running += 1
            self.tasks[job_id].add_done_callback(self.has_ended)

    def has_ended(self, _):
        self.running -= 1

    async def run_job(self, job_id, score):
        started = now_ms()
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.get(JOB + job_id)
            pipe.incrby(RETRY + job_id, 1)
            pipe.expire(RETRY + job_id, RETRY_SECONDS)
            if self.o.allow_abort_jobs:
                pipe.zrem(ABORT, job_id)
            data, job_try, _, *aborted = await pipe.execute()

        unknown = dict(function='<unknown>', args=(), kwargs={}, enqueued_ms=0)

        async def fail(error, known):
            now = now_ms()
            payload = result_payload(self.dumps, job_try=job_try, success=False, result=error, started_ms=started,
                                     finished_ms=now, queue=self.o.queue, job_id=job_id, **known)
            await self.finish_failed_job(job_id, payload)

        if data is None:
            log.warning('job %s expired', job_id)
            return await fail(JobExecutionFailed('job expired'), unknown)
        try:
            enqueued_try, function, args, kwargs, enqueued = read_job(self.loads, data)
        except DeserializationError as e:
            log.exception('deserializing job %s failed', job_id)
            return await fail(e, unknown)
        known = dict(function=function, args=args, kwargs=kwargs, enqueued_ms=enqueued)
        if aborted and aborted[0]:
            log.info('%6.2fs ⊘ %s:%s aborted before start', (started - enqueued) / 1000, job_id, function)
            return await fail(asyncio.CancelledError(), known)
        if function not in self.functions:
            log.warning('job %s, function %r not found', job_id, function)
            return await fail(JobExecutionFailed(f'function {function!r} not found'), known)
        if enqueued_try and enqueued_try > job_try:
            job_try = enqueued_try
            await self.redis.setex(RETRY + job_id, RETRY_SECONDS, str(job_try))
        ref = f'{job_id}:{function}'
        if job_try > self.o.max_tries:
            log.warning('%6.2fs ! %s max retries %d exceeded', (started - enqueued) / 1000, ref, self.o.max_tries)
            return await fail(JobExecutionFailed(f'max {self.o.max_tries} retries exceeded'), known)

        ctx = {'redis': self.redis, 'job_id': job_id, 'job_try': job_try, 'enqueue_time': enqueued, 'score': score}
        finish, defer_ms, success, result = False, None, False, None
        started = now_ms()
        log.info('%6.2fs → %s(%s)', (started - enqueued) / 1000, ref, ', '.join(map(repr, args)))
        try:
            self.job_tasks[job_id] = asyncio.ensure_future(self.functions[function](ctx, *args, **kwargs))
            result = await asyncio.wait_for(self.job_tasks[job_id], self.o.job_timeout)
            success = finish = True
            self.complete += 1
            log.info('%6.2fs ← %s ● %r', (now_ms() - started) / 1000, ref, result)
        except (Exception, asyncio.CancelledError) as e:
            result = e
            took = (now_ms() - started) / 1000
            if isinstance(e, asyncio.CancelledError) and job_id in self.aborting:
                finish = True
                self.aborting.discard(job_id)
                log.info('%6.2fs ⊘ %s aborted', took, ref)
            elif isinstance(e, Retry):
                defer_ms = e.defer_ms
                self.retried += 1
                log.info('%6.2fs ↻ %s retrying job in %0.2fs', took, ref, (defer_ms or 0) / 1000)
            elif isinstance(e, (asyncio.CancelledError, RetryJob)):
                self.retried += 1
                log.info('%6.2fs ↻ %s cancelled, will be run again', took, ref)
            else:
                finish = True
                self.failed += 1
                log.error('%6.2fs ! %s failed, %s: %s', took, ref, type(e).__name__, e)
        finally:
            del self.job_tasks[job_id]
        payload = None
        if finish and self.o.keep_result:
            payload = result_payload(self.dumps, job_try=job_try, success=success, result=result, started_ms=started,
                                     finished_ms=now_ms(), queue=self.o.queue, job_id=job_id, **known)
        cron = any(c.name == function for c in self.crons)
        await asyncio.shield(self.finish_job(job_id, finish, payload, score, defer_ms, cron))

    async def finish_job(self, job_id, finish, payload, score, defer_ms, cron):
        async with self.redis.pipeline(transaction=True) as pipe:
            keys = []
            if cron:
                pipe.pexpire(IN_PROGRESS + job_id, 60_000)
            else:
                keys.append(IN_PROGRESS + job_id)
            if finish:
                if payload and not cron:
                    pipe.set(RESULT + job_id, payload, px=to_ms(self.o.keep_result))
                keys += [RETRY + job_id, JOB + job_id]
                pipe.zrem(ABORT, job_id)
                pipe.zrem(self.o.queue, job_id)
            elif defer_ms:
                pipe.zincrby(self.o.queue, defer_ms + now_ms() - score, job_id)
            if keys:
                pipe.delete(*keys)
            await pipe.execute()

    async def finish_failed_job(self, job_id, payload):
        self.failed += 1
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.delete(RETRY + job_id, IN_PROGRESS + job_id, JOB + job_id)
            pipe.zrem(ABORT, job_id)
            pipe.zrem(self.o.queue, job_id)
            if self.o.keep_result:
                pipe.set(RESULT + job_id, payload, px=to_ms(self.o.keep_result))
            await pipe.execute()

    async def cancel_aborted(self):
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.zrange(ABORT, 0, -1)
            pipe.zremrangebyscore(ABORT, now_ms() + 60, float('inf'))
            ids, _ = await pipe.execute()
        here = [i.decode() for i in ids if i.decode() in self.job_tasks]
        for job_id in here:
            self.aborting.add(job_id)
            self.job_tasks[job_id].cancel()
        if here:
            await self.redis.zrem(ABORT, *here)

    async def heart_beat(self):
        if time.monotonic() >= self.next_health:
            self.next_health = time.monotonic() + self.o.health_check_interval
            queued = await self.redis.zcard(self.o.queue)
            text = (f'{dt.datetime.now():%b-%d %H:%M:%S} j_complete={self.complete} j_failed={self.failed} '
                    f'j_retried={self.retried} j_ongoing={len(self.tasks)} queued={queued}')
            await self.redis.psetex(self.health_key, to_ms(self.o.health_check_interval + 1), text)
        now = dt.datetime.now(dt.timezone.utc)
        for cron in self.crons:
            if cron.next_run is None:
                cron.next_run = now if cron.run_at_startup else cron.next_after(now)
                continue
            if cron.next_run < now + dt.timedelta(seconds=2 * max(self.o.poll_delay, 0.5)):
                await self.enqueue_cron(cron, now)
                cron.next_run = cron.next_after(cron.next_run)

    async def enqueue_cron(self, cron, now):
        planned = moment_ms(cron.next_run)
        job_id = f'{cron.name}:{planned}' if cron.unique else f'{cron.name}:{time.monotonic_ns()}'
        async with self.redis.pipeline(transaction=True) as pipe:
            await pipe.watch(JOB + job_id)
            if await pipe.exists(JOB + job_id, RESULT + job_id):
                return
            at, score = now_ms(), planned if cron.next_run > now else now_ms()
            pipe.multi()
            pipe.psetex(JOB + job_id, max(score - at, 0) + EXPIRES_EXTRA_MS,
                        job_payload(self.dumps, cron.name, (), {}, None, at))
            pipe.zadd(self.o.queue, {job_id: score})
            try:
                await pipe.execute()
            except redis.exceptions.WatchError:
                pass


def main():
    asyncio.run(Worker(worker_options.read(SERIALIZERS)).run())


if __name__ == '__main__':
    main()
