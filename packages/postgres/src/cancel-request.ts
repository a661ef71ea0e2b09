// Asks a server, over a connection of its own, to end what another connection runs.

import { Dialing, type DialedServer, type DialSettings } from "./dial.ts";

const LENGTH = 16;
const CANCEL_CODE = 80_877_102;

/** What the server has given to a connection, so that it alone can ask. */
export interface BackendKey {
  readonly processId: number;
  readonly secret: number;
}

/** A request under way. */
export interface CancelRequest {
  /** Gives it up: whether the server has heard of it is not known then. */
  abort(): void;
}

/**
 * Sends the request. `closed` is called when the server has closed the connection, which it does when the signal is on its
 * way: from then on it can hit nothing that begins later. It is called as well if the request could not be made.
 */
export function requestCancel(
  to: DialedServer,
  key: BackendKey,
  settings: DialSettings,
  closed: () => void,
): CancelRequest {
  let end = (): void => dialing.abort();
  const dialing = new Dialing(to, to.isTls ? "required" : "plain", settings, (_failure, socket) => {
    if (socket === null) return closed();
    end = () => void socket.destroy();
    socket.on("error", () => {});
    socket.on("close", () => closed());
    // The server says nothing; without a reader its end would not be noticed.
    socket.resume();
    socket.write(messageFor(key));
  });
  return { abort: () => end() };
}

function messageFor({ processId, secret }: BackendKey): Buffer {
  const message = Buffer.allocUnsafe(LENGTH);
  message.writeInt32BE(LENGTH, 0);
  message.writeInt32BE(CANCEL_CODE, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secret, 12);
  return message;
}
