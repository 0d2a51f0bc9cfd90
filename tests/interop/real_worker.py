"""arq's own worker, with the options of arq_worker.py."""

import argparse
import logging
import sys

from arq import Retry, cron
from arq.connections import RedisSettings
from arq.worker import Worker, func

from arq_functions import functions
from real_client import SERIALIZERS

FUNCTIONS = functions(Retry)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--port', type=int, required=True)
    p.add_argument('--codec', choices=SERIALIZERS, default='pickle')
    p.add_argument('--queue', default='arq:queue')
    p.add_argument('--burst', action='store_true')
    p.add_argument('--max-jobs', type=int, default=10)
    p.add_argument('--max-tries', type=int, default=5)
    p.add_argument('--job-timeout', type=float, default=300)
    p.add_argument('--keep-result', type=float, default=3600)
    p.add_argument('--poll-delay', type=float, default=0.02)
    p.add_argument('--health-check-interval', type=float, default=3600)
    p.add_argument('--allow-abort-jobs', action='store_true')
    p.add_argument('--cron', nargs='*', default=[], help='functions to run in every second')
    p.add_argument('--microsecond', type=int, default=0, help='of these')
    p.add_argument('--run-at-startup', action='store_true')
    p.add_argument('--only', nargs='*', help='functions; all, if none are named')
    o = p.parse_args()
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format='%(asctime)s: %(message)s')
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
