// The servers of the rows about WebSocket.

import { once } from "node:events";

import type { Measured, PythonPeer, Row } from "./row.ts";
import { ECHO_FIGURES, loadServer, noServer } from "./websocket.ts";

type Body = (port: number, countOpen: () => number) => Promise<Measured>;

/** A server of ours that echoes, for as long as `body` takes. */
export async function withOurs(body: Body): Promise<Measured> {
  const [{ run }, { serve }] = await Promise.all([import("meanwhile"), import("@meanwhile/websocket")]);
  return run(async () => {
    await using server = await serve(
      async (socket) => {
        for await (const message of socket) await socket.send(message);
      },
      { compression: "off", maxConnections: 20_000, maxConnectionsPerAddress: null },
    );
    return await body(server.port ?? 0, () => server.connections.size);
  });
}

/** A server of bare ws that echoes, for as long as `body` takes. */
export async function withWs(body: Body): Promise<Measured> {
  const { WebSocketServer } = await import("ws");
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("error", () => undefined); // who weighs it leaves without a word
  });
  await once(server, "listening");
  const address = server.address();
  const measured = await body(typeof address === "object" ? (address?.port ?? 0) : 0, () => server.clients.size);
  for (const socket of server.clients) socket.terminate();
  server.close();
  return measured;
}

/** The peers of Python, on both of its loops. */
export function pythonServers(...args: readonly string[]): PythonPeer[] {
  const script = "websocket.py";
  return [
    { kind: "python", name: "websockets", script, args: ["asyncio", ...args], modules: ["websockets"] },
    {
      kind: "python",
      name: "websockets + uvloop",
      script,
      args: ["uvloop", ...args],
      modules: ["websockets", "uvloop"],
    },
  ];
}

/** A row of servers that echo for ten clients of bare ws. */
export function serverRow({
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
  const measure: Body = (port) => loadServer(port, size);
  return {
    name,
    title,
    about:
      `Ten clients of bare ws, in a process of their own on the same machine, send ${about} each, and the next one when it has come back, for three seconds, without compression. ` +
      "They check the length of each echo. CPU time is that of the server. ws echoes in its event, ours and websockets in a loop over the messages of a connection.",
    figures: ECHO_FIGURES,
    server: noServer,
    peers: [
      { kind: "node", name: "ws", packages: ["ws"], measure: () => withWs(measure) },
      {
        kind: "node",
        name: "meanwhile",
        ours: true,
        packages: ["@meanwhile/websocket"],
        measure: () => withOurs(measure),
      },
      ...pythonServers("server", String(size)),
    ],
    targets: [
      { ours: "meanwhile", beside: "ws", figure: "rate", compares: "speed", limit: 0.9 },
      { ours: "meanwhile", beside: "websockets + uvloop", figure: "rate", compares: "speed", limit: 1 },
    ],
  };
}
