// Row: what a connection weighs that does nothing. 10 000 of them at one server.

import type { Row } from "../harness/row.ts";
import { pythonServers, withOurs, withWs } from "../harness/websocket-servers.ts";
import { IDLE, noServer, weighIdle } from "../harness/websocket.ts";

export const row: Row = {
  name: "websocket-idle",
  title: `${IDLE.toLocaleString("en-US").replace(",", " ")} WebSocket connections that do nothing`,
  about:
    "Peak memory of a server process (`VmHWM`) when 10 000 connections are open, without what it was before the first one came, for each of them; the memory of the kernel for sockets is not in it. " +
    "The clients are bare sockets in another process, and do not offer compression. The server of each peer waits for messages: ws with a listener, ours and websockets in a task for each connection that pings it every 20 s, which ws does not. " +
    "Three rounds, for they differ little.",
  figures: [{ key: "bytes", label: "bytes per connection", better: "less" }],
  rounds: 3,
  server: noServer,
  peers: [
    { kind: "node", name: "ws", packages: ["ws"], measure: () => withWs(weighIdle) },
    {
      kind: "node",
      name: "meanwhile",
      ours: true,
      packages: ["@meanwhile/websocket"],
      measure: () => withOurs(weighIdle),
    },
    ...pythonServers("idle"),
  ],
  targets: [{ ours: "meanwhile", beside: "websockets + uvloop", figure: "bytes", compares: "cost", limit: 1 }],
};
