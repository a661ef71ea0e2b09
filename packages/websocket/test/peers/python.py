"""Both sides of the Python package websockets, for the tests.

`python.py serve` prints its port, and echoes; `python.py connect URL` does what a client does, and prints what came of it.
"""

import asyncio
import json
import sys

import websockets


async def echo(socket, *_):
    async for message in socket:
        if message == "close":
            await socket.close(4001, "as you wish")
        elif message == "fragments":
            await socket.send(["a", "b", "ψ", ""])
        elif message == "ping":
            await (await socket.ping(b"now"))
            await socket.send("pong")
        else:
            await socket.send(message)


async def serve():
    async with websockets.serve(echo, "127.0.0.1", 0, subprotocols=["chat"]) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


MESSAGES = ["", "hello", "κόσμε 💻", "x" * 125, "x" * 126, "x" * 65_536, b"", b"\x00\xff", bytes(range(256)) * 4_096]


async def same(socket, message):
    await socket.send(message)
    return await socket.recv() == message


async def fragments(socket):
    await socket.send(["a", "b", "ψ", ""])
    return await socket.recv()


async def pong(socket):
    await asyncio.wait_for(await socket.ping(b"now"), 5)
    return True


async def closed(uri, message):
    async with websockets.connect(uri) as socket:
        await socket.send(message)
        try:
            while True:
                await socket.recv()
        except websockets.ConnectionClosed:
            return [socket.close_code, socket.close_reason]


async def use(uri, **options):
    async with websockets.connect(uri, **options) as socket:
        result = {
            "same": [await same(socket, message) for message in MESSAGES],
            "fragments": await fragments(socket),
            "pong": await pong(socket),
            "extensions": [extension.name for extension in socket.extensions],
            "subprotocol": socket.subprotocol,
        }
        await socket.close(4000, "bye")
    return {**result, "closed": [socket.close_code, socket.close_reason]}


async def connect(uri):
    print(
        json.dumps(
            {
                "deflate": await use(uri, subprotocols=["other", "chat"]),
                "plain": await use(uri, compression=None),
                "tooLong": await closed(uri, "x" * (2**20 + 1)),
                "closedByPeer": await closed(uri, "close"),
            }
        )
    )


if sys.argv[1] == "serve":
    asyncio.run(serve())
else:
    asyncio.run(connect(sys.argv[2]))
