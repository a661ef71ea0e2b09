// Whose an upgrade is, where several listen to those of one HTTP server.

import type { IncomingMessage, Server as HttpServer } from "node:http";

const passed = new WeakMap<IncomingMessage, number>();

/** Leaves it to another listener. False if all of them have done so: then somebody has to refuse it, or the client waits. */
export function passOn(message: IncomingMessage, server: HttpServer): boolean {
  const count = (passed.get(message) ?? 0) + 1;
  passed.set(message, count);
  return count < server.listenerCount("upgrade");
}
