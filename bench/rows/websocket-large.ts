// Row: what a WebSocket client costs when messages are large. 64 kB over ten connections, echoed by a server of bare ws.

import type { Row } from "../harness/row.ts";
import { clientRow } from "../harness/websocket-clients.ts";

export const row: Row = clientRow({
  name: "websocket-large",
  title: "WebSocket clients: echo of 64 kB over ten connections",
  size: 65_536,
  about: "64 KiB of bytes",
});
