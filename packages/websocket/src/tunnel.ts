// Asks an HTTP proxy for a tunnel with CONNECT.

import type { Socket } from "node:net";

import { DialFailure } from "./dial-failure.ts";
import type { Dialing } from "./dialing.ts";
import type { Proxy } from "./proxies.ts";

/** What is asked of which proxy. */
export interface TunnelPlan {
  readonly proxy: Proxy;
  /** Host and port of the server. */
  readonly authority: string;
}

const MOST_HEAD_BYTES = 16_384;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: |\r\n)/;

/** Calls `then` when the tunnel stands: what is written to the socket from there on goes to the server. */
export function openTunnel(dialing: Dialing, socket: Socket, { proxy, authority }: TunnelPlan, then: () => void): void {
  const head = Buffer.alloc(MOST_HEAD_BYTES);
  let length = 0;
  const onData = (chunk: Buffer): void => {
    if (dialing.isOver) return;
    const from = Math.max(0, length - 3);
    const taken = chunk.copy(head, length);
    length += taken;
    const end = head.subarray(0, length).indexOf("\r\n\r\n", from);
    if (end === -1 && length < MOST_HEAD_BYTES) return;
    socket.pause();
    socket.off("data", onData);
    // The server speaks after us: what comes with the head is from nobody we want to hear.
    const isExact = end !== -1 && end + 4 === length && taken === chunk.length;
    const failure = judge(head.toString("latin1", 0, Math.max(end + 4, 0)), isExact, proxy);
    if (failure === null) then();
    else dialing.fail(failure);
  };
  socket.on("data", onData);
  socket.write(requestHead(authority, proxy), "latin1");
}

function requestHead(authority: string, { userId, password }: Proxy): string {
  const who = Buffer.from(`${userId}:${password}`).toString("base64");
  const field = userId === "" && password === "" ? "" : `proxy-authorization: Basic ${who}\r\n`;
  return `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${field}\r\n`;
}

function judge(head: string, isExact: boolean, { name }: Proxy): DialFailure | null {
  const [, status] = STATUS_LINE.exec(head) ?? [];
  if (status?.startsWith("2") === true && isExact) return null;
  if (status === undefined || status.startsWith("2")) {
    const what = `its proxy ${name} does not speak HTTP/1.1, or not correctly`;
    return new DialFailure("MW_ERR_WS_PROXY", what, { isLasting: true });
  }
  const hint = status === "407" ? "; pass user name and password in the URL of the proxy" : "";
  const what = `its proxy ${name} refused the tunnel with the status ${status}${hint}`;
  return new DialFailure("MW_ERR_WS_PROXY", what, { proxyStatus: Number(status) });
}
