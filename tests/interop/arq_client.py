"""A client of arq's, as tests use it: enqueue jobs, wait for results, look at jobs, abort them."""

import asyncio
import time
import uuid

import redis

import arq_functions  # so that its exceptions can be read
from arq_wire import *


class Client:
    def __init__(self, port, codec='pickle', queue=DEFAULT_QUEUE):
        self.redis = redis.Redis(host='127.0.0.1', port=port)
        self.redis.ping()
        self.dumps, self.loads = SERIALIZERS[codec]
        self.queue = queue

    def enqueue_job(self, function, *args, _job_id=None, _queue_name=None, _defer_until=None, _defer_by=None, _expires=None,
                    _job_try=None, **kwargs):
        queue = _queue_name or self.queue
        job_id = _job_id or uuid.uuid4().hex
        if _defer_until and _defer_by:
            raise RuntimeError("use either 'defer_until' or 'defer_by' or neither, not both")
        with self.redis.pipeline() as pipe:
            pipe.watch(JOB + job_id)
            if pipe.exists(JOB + job_id, RESULT + job_id):
                return None
            now = now_ms()
            score = moment_ms(_defer_until) if _defer_until else now + to_ms(_defer_by) if _defer_by else now
            expires = to_ms(_expires) if _expires else score - now + EXPIRES_EXTRA_MS
            payload = job_payload(self.dumps, function, args, kwargs, _job_try, now)
            pipe.multi()
            pipe.psetex(JOB + job_id, expires, payload)
            pipe.zadd(queue, {job_id: score})
            try:
                pipe.execute()
            except redis.WatchError:
                return None
        return Job(self, job_id, queue)

    def job(self, job_id, queue=None):
        return Job(self, job_id, queue or self.queue)

    def queued_jobs(self, queue=None):
        """(id, score, function, args, kwargs) of each, the first to run first."""
        jobs = []
        for job_id, score in self.redis.zrange(queue or self.queue, 0, -1, withscores=True):
            data = self.redis.get(JOB + job_id.decode())
            if data is None:
                raise RuntimeError(f'job "{JOB}{job_id.decode()}" not found')
            _, function, args, kwargs, _ = read_job(self.loads, data)
            jobs.append((job_id.decode(), int(score), function, args, kwargs))
        return jobs

    def all_job_results(self):
        keys = self.redis.keys(RESULT + '*')
        results = [read_result(self.loads, self.redis.get(key)) for key in keys]
        return sorted(results, key=lambda r: r.enqueued_ms)


class Job:
    def __init__(self, client, job_id, queue):
        self.client, self.job_id, self.queue = client, job_id, queue

    def result(self, timeout=None, poll_delay=0.02):
        redis, start = self.client.redis, time.monotonic()
        while True:
            look = redis.pipeline(transaction=True)
            look.get(RESULT + self.job_id)
            look.zscore(self.queue, self.job_id)
            data, score = look.execute()
            if data:
                info = read_result(self.client.loads, data)
                if info.success:
                    return info.result
                if isinstance(info.result, (Exception, asyncio.CancelledError)):
                    raise info.result
                raise SerializationError(info.result)
            if score is None:
                raise ResultNotFound('Not waiting for job result because the job is not in queue. '
                                     'Is the worker function configured to keep result?')
            if timeout is not None and time.monotonic() - start > timeout:
                raise asyncio.TimeoutError()
            time.sleep(poll_delay)

    def outcome(self, timeout=30):
        """What result() returns or raises, as text."""
        try:
            return f'returned {self.result(timeout)!r}'
        except (Exception, asyncio.CancelledError) as e:
            return f'raised {e!r}'

    def result_info(self):
        data = self.client.redis.get(RESULT + self.job_id)
        return read_result(self.client.loads, data) if data else None

    def info(self):
        """(function, args, kwargs, job_try) of the result, or else of the job."""
        done = self.result_info()
        if done:
            return done.function, done.args, done.kwargs, done.job_try
        data = self.client.redis.get(JOB + self.job_id)
        if data is None:
            return None
        job_try, function, args, kwargs, _ = read_job(self.client.loads, data)
        return function, args, kwargs, job_try

    def status(self):
        look = self.client.redis.pipeline(transaction=True)
        look.exists(RESULT + self.job_id)
        look.exists(IN_PROGRESS + self.job_id)
        look.zscore(self.queue, self.job_id)
        is_complete, is_in_progress, score = look.execute()
        if is_complete:
            return 'complete'
        if is_in_progress:
            return 'in_progress'
        if score:
            return 'deferred' if score > now_ms() else 'queued'
        return 'not_found'

    def wait_for_status(self, status, timeout=60):
        end = time.monotonic() + timeout
        while self.status() != status:
            if time.monotonic() > end:
                raise RuntimeError(f'job {self.job_id} is {self.status()}, not {status}')
            time.sleep(0.005)

    def abort(self, timeout=None, poll_delay=0.02):
        redis = self.client.redis
        score = redis.zscore(self.queue, self.job_id)
        if score is not None and score > now_ms():
            forward = redis.pipeline(transaction=True)
            forward.zrem(self.queue, self.job_id)
            forward.zadd(self.queue, {self.job_id: 1})
            forward.execute()
        redis.zadd(ABORT, {self.job_id: now_ms()})
        try:
            self.result(timeout, poll_delay)
        except asyncio.CancelledError:
            return True
        except ResultNotFound:
            pass
        return False
