"""What both workers in Python are started with, and where they log."""

import argparse
import logging
import sys


def read(serializers):
    p = argparse.ArgumentParser()
    p.add_argument('--port', type=int, required=True)
    p.add_argument('--codec', choices=serializers, default='pickle')
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
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format='%(asctime)s: %(message)s')
    return p.parse_args()
