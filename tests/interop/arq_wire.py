"""What arq's clients and workers share: keys, serializers, and the classes whose instances they pickle.

Written from the protocol, for tests: arq itself may not be installed where these run.
"""

import datetime as dt
import functools
import pickle
import sys
import time
import types

import msgpack

JOB, IN_PROGRESS, RETRY, RESULT = 'arq:job:', 'arq:in-progress:', 'arq:retry:', 'arq:result:'
ABORT = 'arq:abort'
DEFAULT_QUEUE = 'arq:queue'
EXPIRES_EXTRA_MS = 86_400_000
RETRY_SECONDS = 88_400


def _module(name, *classes):
    """Pickles name a class by its module, which has to be arq's."""
    module = sys.modules.setdefault(name, types.ModuleType(name))
    for c in classes:
        c.__module__ = name
        setattr(module, c.__name__, c)


class Retry(RuntimeError):
    def __init__(self, defer=None):
        self.defer_ms = None if defer is None else to_ms(defer)
        super().__init__(f'<Retry defer {defer}>')


class RetryJob(RuntimeError):
    pass


class JobExecutionFailed(RuntimeError):
    def __eq__(self, other):
        return isinstance(other, JobExecutionFailed) and self.args == other.args


class ResultNotFound(RuntimeError):
    pass


class SerializationError(RuntimeError):
    pass


class DeserializationError(SerializationError):
    pass


_module('arq')
_module('arq.worker', Retry, RetryJob, JobExecutionFailed)
_module('arq.jobs', ResultNotFound, SerializationError, DeserializationError)

SERIALIZERS = {
    'pickle': (pickle.dumps, pickle.loads),
    'msgpack': (msgpack.packb, functools.partial(msgpack.unpackb, raw=False)),
}


def now_ms():
    return round(time.time() * 1000)


def to_ms(duration):
    """Of seconds or a timedelta."""
    return round((duration.total_seconds() if isinstance(duration, dt.timedelta) else duration) * 1000)


def moment_ms(moment):
    return round(moment.timestamp() * 1000)


def job_payload(dumps, function, args, kwargs, job_try, enqueued_ms):
    try:
        return dumps({'t': job_try, 'f': function, 'a': args, 'k': kwargs, 'et': enqueued_ms})
    except Exception as e:
        raise SerializationError(f'unable to serialize job "{function}"') from e


def read_job(loads, data):
    """(job_try, function, args, kwargs, enqueue time in ms)"""
    try:
        d = loads(data)
        return d['t'], d['f'], d['a'], d['k'], d['et']
    except Exception as e:
        raise DeserializationError('unable to deserialize job') from e


def result_payload(dumps, *, job_try, function, args, kwargs, enqueued_ms, success, result, started_ms, finished_ms, queue,
                   job_id):
    d = {'t': job_try, 'f': function, 'a': args, 'k': kwargs, 'et': enqueued_ms, 's': success, 'r': result,
         'st': started_ms, 'ft': finished_ms, 'q': queue, 'id': job_id}
    try:
        return dumps(d)
    except Exception:
        d.update(r='unable to serialize result', s=False)
        return dumps(d)


class Result(types.SimpleNamespace):
    pass


def read_result(loads, data):
    try:
        d = loads(data)
        return Result(job_try=d['t'], function=d['f'], args=d['a'], kwargs=d['k'], enqueued_ms=d['et'], success=d['s'],
                      result=d['r'], started_ms=d['st'], finished_ms=d['ft'], queue=d.get('q', '<unknown>'),
                      job_id=d.get('id', '<unknown>'))
    except Exception as e:
        raise DeserializationError('unable to deserialize job result') from e
