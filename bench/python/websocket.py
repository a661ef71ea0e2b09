"""The peer websockets of all rows about WebSocket: `websocket.py asyncio|uvloop client|server BYTES`, or `... idle`."""

import asyncio
import json
import os
import sys
import time

import websockets

from measuring import FEWEST_REPETITIONS, LONG, check, peak_mb, report, run

CONNECTIONS = 10
IDLE = 10_000
ROLE = sys.argv[2]
SIZE = int(sys.argv[3]) if len(sys.argv) > 3 else 0
PAYLOAD = "x" * SIZE if SIZE < 1_000 else b"\x07" * SIZE
ECHOES = 20_000 if SIZE < 1_000 else 4_000


async def client():
    uri = os.environ["BENCH_WS_URL"]
    sockets = await asyncio.gather(*[websockets.connect(uri, compression=None) for _ in range(CONNECTIONS)])

    async def loop(left, socket):
        while left[0] > 0:
            left[0] -= 1
            await socket.send(PAYLOAD)
            check("bytes", len(await socket.recv()), SIZE)

    async def work():
        left = [ECHOES]
        await asyncio.gather(*[loop(left, socket) for socket in sockets])

    await repeated(work, LONG.warm_up_s, 1)
    cpu = time.process_time()
    repetitions, wall_s = await repeated(work, LONG.measured_s, FEWEST_REPETITIONS)
    done = ECHOES * repetitions
    figures = {"rate": done / wall_s, "cpu": (time.process_time() - cpu) * 1_000_000 / done}
    await asyncio.gather(*[socket.close() for socket in sockets])
    return figures


async def repeated(work, enough_s, fewest):
    """Like that of measuring.py, inside one loop: the connections stay."""
    started = time.perf_counter()
    repetitions = 0
    while True:
        await work()
        repetitions += 1
        wall_s = time.perf_counter() - started
        if wall_s >= enough_s and repetitions >= fewest:
            return repetitions, wall_s


async def echo(socket, *_):
    try:
        async for message in socket:
            await socket.send(message)
    except websockets.ConnectionClosed:
        pass  # who weighs it leaves without a word


async def serving(program, argument, body):
    async with websockets.serve(echo, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        clients = await asyncio.create_subprocess_exec(
            os.environ["BENCH_NODE"],
            program,
            f"ws://127.0.0.1:{port}/",
            str(argument),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        figures = await body(server, clients.stdout)
        clients.stdin.close()
        await clients.wait()
        return figures


async def server():
    async def body(_, lines):
        check("warm", await lines.readline(), b"warm\n")
        cpu = time.process_time()
        done = json.loads(await lines.readline())
        return {"rate": done["rate"], "cpu": (time.process_time() - cpu) * 1_000_000 / done["echoes"]}

    return await serving(os.environ["BENCH_WS_LOAD"], SIZE, body)


async def idle():
    before_mb = peak_mb()

    async def body(server, lines):
        check("open", await lines.readline(), b"open\n")
        check("connections", len(server.websockets), IDLE)
        return {"bytes": (peak_mb() - before_mb) * 2**20 / IDLE}

    return await serving(os.environ["BENCH_WS_IDLE"], IDLE, body)


report(**run({"client": client, "server": server, "idle": idle}[ROLE]()))
