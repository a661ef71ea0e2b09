// Row: what a WebSocket client costs. Texts of 125 bytes over ten connections, echoed by a server of bare ws.

import type { Row } from "../harness/row.ts";
import { clientRow } from "../harness/websocket-clients.ts";

export const row: Row = clientRow({
  name: "websocket",
  title: "WebSocket clients: echo of 125 bytes over ten connections",
  size: 125,
  about: "A text of 125 bytes",
});
