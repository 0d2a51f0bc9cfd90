"""What the jobs of Python's workers do in tests, under arq itself and under what stands in for it."""

import asyncio


class SoldOut(Exception):
    """A user's own; both sides can import it."""


def functions(Retry):
    """By name. `Retry` is arq's class."""

    async def add(ctx, left, right):
        return left + right

    async def echo(ctx, *args, **kwargs):
        return [list(args), kwargs]

    async def fail(ctx, message):
        raise ValueError(message)

    async def sell(ctx, what, left):
        raise SoldOut(what, left)

    async def nap(ctx, seconds):
        """Tells when it runs."""
        await ctx['redis'].rpush('test:started', ctx['job_id'])
        await asyncio.sleep(seconds)
        return 'slept'

    async def brief(ctx, seconds):
        await asyncio.sleep(seconds)

    async def nap_at_first(ctx):
        if ctx['job_try'] == 1:
            await nap(ctx, 3600)
        return 'slept'

    async def note(ctx, n):
        await ctx['redis'].rpush('test:ran', n)

    async def try_again(ctx, tries, defer):
        if ctx['job_try'] < tries:
            raise Retry(defer)
        return ctx['job_try']

    async def wait_for_gate(ctx, gate):
        return 'in Python'

    async def tick(ctx):
        await ctx['redis'].rpush('test:ticks', ctx['job_id'])

    return {f.__name__: f for f in (add, echo, fail, sell, nap, brief, nap_at_first, note, try_again, wait_for_gate, tick)}
