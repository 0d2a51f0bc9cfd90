"""arq's own worker: real_worker.py --port N [options], as arq_worker.py."""

from arq import Retry, cron
from arq.connections import RedisSettings
from arq.worker import Worker, func

import worker_options
from arq_functions import functions
from real_client import SERIALIZERS

FUNCTIONS = functions(Retry)


def main():
    o = worker_options.read(SERIALIZERS)
    dumps, loads = SERIALIZERS[o.codec]
    every_second = dict(second=set(range(60)), microsecond=o.microsecond, run_at_startup=o.run_at_startup)
    Worker(
        functions=[func(f, name=name) for name, f in FUNCTIONS.items() if o.only is None or name in o.only],
        cron_jobs=[cron(FUNCTIONS[name], name='cron:' + name, **every_second) for name in o.cron],
        redis_settings=RedisSettings(host='127.0.0.1', port=o.port),
        queue_name=o.queue, burst=o.burst, max_jobs=o.max_jobs, max_tries=o.max_tries, job_timeout=o.job_timeout,
        keep_result=o.keep_result, poll_delay=o.poll_delay, health_check_interval=o.health_check_interval,
        allow_abort_jobs=o.allow_abort_jobs, job_serializer=dumps, job_deserializer=loads,
    ).run()


if __name__ == '__main__':
    main()
