"""WebSockets by Python's websockets, on a free port, which it prints as a line. Ends on SIGTERM.

A message that begins with B goes to all of them.
"""

import asyncio
import resource
import signal

from websockets.asyncio.server import broadcast, serve

sockets = set()


async def echo(socket):
    sockets.add(socket)
    try:
        async for message in socket:
            if message.startswith(b"B"):
                broadcast(sockets, message)
            else:
                await socket.send(message)
    finally:
        sockets.discard(socket)


async def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with serve(echo, "127.0.0.1", 0, backlog=1024) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await ended.wait()


asyncio.run(main())
