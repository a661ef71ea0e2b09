// The clients of the rows about WebSocket, for messages of any size.

import { once } from "node:events";

import { check } from "./measuring.ts";
import type { Measured, Row } from "./row.ts";
import { CONNECTIONS, ECHO_FIGURES, echoesPerSecond, echoServer, payloadOf, url } from "./websocket.ts";

async function ours(size: number): Promise<Measured> {
  const [{ gather, run }, { connect }] = await Promise.all([import("meanwhile"), import("@meanwhile/websocket")]);
  return run(async () => {
    const open = (): ReturnType<typeof connect> => connect(url(), { compression: "off" });
    const sockets = await gather(Array.from({ length: CONNECTIONS }, () => open));
    const payload = payloadOf(size);
    const measured = await echoesPerSecond(size, (take) => {
      const loops = sockets.map((socket) => async () => {
        while (take()) {
          await socket.send(payload);
          check("bytes", (await socket.recv()).length, size);
        }
      });
      return gather(loops);
    });
    await gather(sockets.map((socket) => () => socket.close()));
    return measured;
  });
}

// Without a promise for a message: as little as can be done.
async function ws(size: number): Promise<Measured> {
  const { WebSocket } = await import("ws");
  const sockets = Array.from({ length: CONNECTIONS }, () => new WebSocket(url(), { perMessageDeflate: false }));
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  const payload = payloadOf(size);
  const measured = await echoesPerSecond(size, (take) => {
    const loop = (socket: (typeof sockets)[number]): Promise<void> =>
      new Promise((resolve) => {
        const next = (): void => {
          if (take()) return socket.send(payload);
          socket.off("message", received);
          resolve();
        };
        const received = (data: Buffer): void => {
          check("bytes", data.length, size);
          next();
        };
        socket.on("message", received);
        next();
      });
    return Promise.all(sockets.map(loop));
  });
  for (const socket of sockets) socket.close();
  return measured;
}

async function native(size: number): Promise<Measured> {
  const sockets = Array.from({ length: CONNECTIONS }, () => new WebSocket(url()));
  for (const socket of sockets) socket.binaryType = "arraybuffer";
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  const payload = payloadOf(size);
  const measured = await echoesPerSecond(size, (take) => {
    const loop = (socket: WebSocket): Promise<void> =>
      new Promise((resolve) => {
        const next = (): void => {
          if (take()) return socket.send(payload);
          socket.removeEventListener("message", received);
          resolve();
        };
        const received = ({ data }: { data: string | ArrayBuffer }): void => {
          check("bytes", typeof data === "string" ? data.length : data.byteLength, size);
          next();
        };
        socket.addEventListener("message", received);
        next();
      });
    return Promise.all(sockets.map(loop));
  });
  for (const socket of sockets) socket.close();
  return measured;
}

/** A row of clients that are echoed by bare ws. */
export function clientRow({
  name,
  title,
  size,
  about,
}: {
  name: string;
  title: string;
  size: number;
  about: string;
}): Row {
  const args = (loop: string): string[] => [loop, "client", String(size)];
  return {
    name,
    title,
    about:
      `${about} is sent over each of ten connections, and the next one when it has come back, again and again for three seconds, without compression. ` +
      "The server is one of bare ws in a process of its own, on the same machine. The length of each echo is checked. " +
      "ws is used by its events, without a promise for a message; ours and websockets by `send` and `recv`. Native is the `WebSocket` that Node has.",
    figures: ECHO_FIGURES,
    server: echoServer,
    peers: [
      { kind: "node", name: "ws", packages: ["ws"], measure: () => ws(size) },
      { kind: "node", name: "meanwhile", ours: true, packages: ["@meanwhile/websocket"], measure: () => ours(size) },
      { kind: "node", name: "native", packages: [], measure: () => native(size) },
      { kind: "python", name: "websockets", script: "websocket.py", args: args("asyncio"), modules: ["websockets"] },
      {
        kind: "python",
        name: "websockets + uvloop",
        script: "websocket.py",
        args: args("uvloop"),
        modules: ["websockets", "uvloop"],
      },
    ],
    targets: [
      { ours: "meanwhile", beside: "ws", figure: "rate", compares: "speed", limit: 0.9 },
      { ours: "meanwhile", beside: "websockets + uvloop", figure: "rate", compares: "speed", limit: 1 },
    ],
  };
}
