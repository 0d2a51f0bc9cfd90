"""GET /users/ID by aiohttp, on a free port, which it prints as a line. Ends on SIGTERM."""

import asyncio
import signal

from aiohttp import web


async def get_user(request):
    return web.json_response({"id": int(request.match_info["id"]), "name": "Ada Lovelace", "active": True})


async def main():
    app = web.Application()
    app.router.add_get("/users/{id}", get_user)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await runner.cleanup()


asyncio.run(main())
