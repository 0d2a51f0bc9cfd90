"""arq's own client, under the names that tests use (those of arq_client.py)."""

import asyncio
import datetime as dt
import pickle
import time
import types

import arq_functions  # so that its exceptions can be read
import msgpack
import redis
from arq import ArqRedis
from arq import jobs
from arq.jobs import SerializationError

JOB, IN_PROGRESS, RETRY, RESULT = 'arq:job:', 'arq:in-progress:', 'arq:retry:', 'arq:result:'
ABORT = 'arq:abort'
SERIALIZERS = {
    'pickle': (pickle.dumps, pickle.loads),
    'msgpack': (msgpack.packb, lambda data: msgpack.unpackb(data, raw=False)),
}


def now_ms():
    return round(time.time() * 1000)


def to_ms(moment):
    return round(moment.timestamp() * 1000)


class Client:
    def __init__(self, port, codec='pickle', queue='arq:queue'):
        self.redis = redis.Redis(host='127.0.0.1', port=port)
        self.dumps, self.loads = SERIALIZERS[codec]
        self.queue = queue
        self.loop = asyncio.new_event_loop()
        self.arq = ArqRedis(host='127.0.0.1', port=port, job_serializer=self.dumps, job_deserializer=self.loads,
                            default_queue_name=queue)

    def run(self, work):
        return self.loop.run_until_complete(work)

    def enqueue_job(self, function, *args, _queue_name=None, **kwargs):
        job = self.run(self.arq.enqueue_job(function, *args, _queue_name=_queue_name, **kwargs))
        return job and Job(self, job.job_id, _queue_name or self.queue)

    def job(self, job_id, queue=None):
        return Job(self, job_id, queue or self.queue)

    def queued_jobs(self, queue=None):
        """(id, score, function, args, kwargs) of each, the first to run first."""
        all_jobs = self.run(self.arq.queued_jobs(queue_name=queue or self.queue))
        all_jobs.sort(key=lambda j: j.score)
        return [(j.job_id, j.score, j.function, j.args, j.kwargs) for j in all_jobs]

    def all_job_results(self):
        return [result_of(r) for r in self.run(self.arq.all_job_results())]


def result_of(r):
    return types.SimpleNamespace(job_try=r.job_try, function=r.function, args=r.args, kwargs=r.kwargs,
                                 enqueued_ms=to_ms(r.enqueue_time), success=r.success, result=r.result,
                                 started_ms=to_ms(r.start_time), finished_ms=to_ms(r.finish_time),
                                 queue=r.queue_name, job_id=r.job_id)


def abort_around_the_end(c, count, seconds, first_id=0):
    """Enqueues this many jobs 'brief', and aborts each a little before or after its end."""
    async def one(n):
        job = await c.arq.enqueue_job('brief', seconds, _job_id=f'job{first_id + n}')
        await asyncio.sleep(seconds - 0.005 + 0.025 * (n % 40) / 40)
        try:
            await job.abort(timeout=30, poll_delay=0.02)
        except SerializationError:
            pass  # msgpack has no CancelledError

    async def some(numbers):
        await asyncio.gather(*map(one, numbers))

    for first in range(0, count, 40):
        c.run(some(range(first, min(first + 40, count))))


class Job:
    def __init__(self, client, job_id, queue):
        self.client, self.job_id = client, job_id
        self.job = jobs.Job(job_id, client.arq, _queue_name=queue, _deserializer=client.loads)

    def result(self, timeout=None, poll_delay=0.02):
        return self.client.run(self.job.result(timeout, poll_delay=poll_delay))

    def outcome(self, timeout=30):
        """What result() returns or raises, as text."""
        try:
            return f'returned {self.result(timeout)!r}'
        except (Exception, asyncio.CancelledError) as e:
            return f'raised {e!r}'

    def result_info(self):
        r = self.client.run(self.job.result_info())
        return r and result_of(r)

    def info(self):
        """(function, args, kwargs, job_try) of the result, or else of the job."""
        r = self.client.run(self.job.info())
        return r and (r.function, r.args, r.kwargs, r.job_try)

    def status(self):
        return self.client.run(self.job.status()).value

    def wait_for_status(self, status, timeout=60):
        end = time.monotonic() + timeout
        while self.status() != status:
            if time.monotonic() > end:
                raise RuntimeError(f'job {self.job_id} is {self.status()}, not {status}')
            time.sleep(0.005)

    def abort(self, timeout=None, poll_delay=0.02):
        return self.client.run(self.job.abort(timeout=timeout, poll_delay=poll_delay))
