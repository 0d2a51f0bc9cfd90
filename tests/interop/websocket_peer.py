"""A WebSocket peer for the tests, in Python: `websockets` or `aiohttp`, as a server or as a client.

    websocket_peer.py serve LIBRARY          prints its port, and echoes; "close 4001 why" makes it close
    websocket_peer.py talk LIBRARY URL [deflate]  talks to an echo server, and prints "ok"
"""

import asyncio
import sys

MESSAGES = ["", "hello", "ähnlich ☃ 𝄞", "x" * 125, "x" * 126, "y" * 65535, "z" * 65536, b"", b"\x00\xff" * 5000,
            "w" * 500_000, '{"number": 1, "text": "compressible"}' * 100]


def close_of(message):
    """The code and the reason that the message asks for, or None."""
    if isinstance(message, str) and message.startswith("close "):
        _, code, reason = message.split(" ", 2)
        return int(code), reason
    return None


async def serve_websockets():
    import websockets.asyncio.server

    async def echo(socket):
        async for message in socket:
            if asked := close_of(message):
                await socket.close(*asked)
                return
            await socket.send(message)

    server = await websockets.asyncio.server.serve(echo, "127.0.0.1", 0, max_size=1 << 24, subprotocols=["echo"])
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


async def serve_aiohttp():
    from aiohttp import WSMsgType, web

    async def echo(request):
        socket = web.WebSocketResponse(max_msg_size=1 << 24, protocols=["echo"])
        await socket.prepare(request)
        async for message in socket:
            if asked := close_of(message.data):
                await socket.close(code=asked[0], message=asked[1].encode())
            elif message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


async def talk_websockets(url, deflate):
    import websockets.asyncio.client

    compression = "deflate" if deflate else None
    async with websockets.asyncio.client.connect(url, max_size=1 << 24, compression=compression,
                                                 subprotocols=["other", "echo"]) as socket:
        assert socket.subprotocol == "echo", socket.subprotocol
        for message in MESSAGES:
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send(["in ", "three ", "fragments"])
        assert await socket.recv() == "in three fragments"
        await (await socket.ping(b"are you there"))
        await socket.close(4002, "enough")
        assert socket.close_code == 4002, socket.close_code


async def talk_aiohttp(url, deflate):
    import aiohttp

    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, compress=15 if deflate else 0, max_msg_size=1 << 24,
                                      protocols=["other", "echo"]) as socket:
            assert socket.protocol == "echo", socket.protocol
            for message in MESSAGES:
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
                assert (await socket.receive()).data == message
            await socket.ping(b"are you there")
            await socket.close(code=4002, message=b"enough")
            assert socket.close_code == 4002, socket.close_code


async def main():
    what, library = sys.argv[1:3]
    if what == "serve":
        await {"websockets": serve_websockets, "aiohttp": serve_aiohttp}[library]()
    else:
        talk = {"websockets": talk_websockets, "aiohttp": talk_aiohttp}[library]
        await asyncio.wait_for(talk(sys.argv[3], "deflate" in sys.argv), 60)
        print("ok")


asyncio.run(main())
