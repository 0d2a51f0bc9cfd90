#!/usr/bin/env python3
"""producer.py [REDIS_URL]: enqueues a job for whatever worker serves arq's queue, and prints its result.

With python-arq installed the same is: await (await pool.enqueue_job("count_words", text)).result()"""
import pickle
import sys
import time
import uuid

import redis

server = redis.Redis.from_url(sys.argv[1] if len(sys.argv) > 1 else "redis://127.0.0.1:6379")
job, now = uuid.uuid4().hex, int(time.time() * 1000)
call = {"t": None, "f": "count_words", "a": ("to be or not to be",), "k": {}, "et": now}
with server.pipeline() as both:
    both.psetex(f"arq:job:{job}", 86_400_000, pickle.dumps(call)).zadd("arq:queue", {job: now}).execute()
while (result := server.get(f"arq:result:{job}")) is None:
    time.sleep(0.01)
print(pickle.loads(result)["r"], "words")
