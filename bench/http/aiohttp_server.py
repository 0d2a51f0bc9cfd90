"""GET /users/ID and WebSockets at /echo by aiohttp, on a free port, which it prints as a line. Ends on SIGTERM.

A message that begins with B goes to all WebSockets.
"""

import asyncio
import resource
import signal

from aiohttp import web

sockets = set()


async def get_user(request):
    return web.json_response({"id": int(request.match_info["id"]), "name": "Ada Lovelace", "active": True})


async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    sockets.add(socket)
    try:
        async for message in socket:
            if message.data.startswith(b"B"):
                for one in sockets:
                    await one.send_bytes(message.data)
            else:
                await socket.send_bytes(message.data)
    finally:
        sockets.discard(socket)
    return socket


async def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    app = web.Application()
    app.router.add_get("/users/{id}", get_user)
    app.router.add_get("/echo", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await runner.cleanup()


asyncio.run(main())
