// Whose an upgrade is, where several listen to those of one HTTP server.

import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";

const passed = new WeakMap<IncomingMessage, number>();
const claimed = new WeakSet<Duplex>();

/** Leaves it to another listener. False if all of them have done so: then somebody has to refuse it, or the client waits. */
export function passOn(message: IncomingMessage, server: HttpServer): boolean {
  const count = (passed.get(message) ?? 0) + 1;
  passed.set(message, count);
  return count < server.listenerCount("upgrade");
}

/** Takes it for one of our servers. False if somebody else has it. */
export function claim(socket: Duplex): boolean {
  if (claimed.has(socket) || isTaken(socket)) return false;
  claimed.add(socket);
  return true;
}

/** Whether somebody reads from it, which none of ours does before its connection is open; or has ended it. */
export function isTaken(socket: Duplex): boolean {
  const isRead = socket.listenerCount("data") + socket.listenerCount("readable") > 0;
  return isRead || socket.writableEnded || socket.destroyed;
}
