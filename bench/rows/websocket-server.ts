// Row: what a WebSocket server costs. Texts of 125 bytes, echoed to ten clients of bare ws.

import type { Row } from "../harness/row.ts";
import { serverRow } from "../harness/websocket-servers.ts";

export const row: Row = serverRow({
  name: "websocket-server",
  title: "WebSocket servers: echo of 125 bytes to ten clients",
  size: 125,
  about: "a text of 125 bytes",
});
