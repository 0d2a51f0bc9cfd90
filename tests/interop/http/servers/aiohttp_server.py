"""aiohttp: GET, HEAD and POST are answered with the body, others with 405. Prints its port."""

import asyncio

from aiohttp import web


async def echo(request):
    return web.Response(body=await request.read())


async def options(_):
    return web.Response(status=204, headers={"Allow": "GET, HEAD, POST, OPTIONS"})


async def main():
    app = web.Application()
    for path in ("/", "/{rest:.*}"):
        app.router.add_get(path, echo)
        app.router.add_post(path, echo)
        app.router.add_options(path, options)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
