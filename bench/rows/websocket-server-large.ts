// Row: what a WebSocket server costs when messages are large. 64 kB, echoed to ten clients of bare ws.

import type { Row } from "../harness/row.ts";
import { serverRow } from "../harness/websocket-servers.ts";

export const row: Row = serverRow({
  name: "websocket-server-large",
  title: "WebSocket servers: echo of 64 kB to ten clients",
  size: 65_536,
  about: "64 KiB of bytes",
});
