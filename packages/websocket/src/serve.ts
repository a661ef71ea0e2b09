// Starts a server.

import { UsageError } from "meanwhile";
import { currentScopeNode } from "meanwhile/lowlevel";

import { type Handler, type ServeOptions, settleServe } from "./serve-options.ts";
import { openServer, type Server } from "./server.ts";

/**
 * Listens for WebSocket clients, and has each connection handled by a task of its own. It resolves when it listens.
 *
 * A handler that returns closes its connection with 1000, one that throws with 1011; `onError` is told, and nobody else is
 * harmed. A handler is not cancelled when its client goes: `recv` and `send` tell. The end of the run cancels all handlers,
 * `close` waits for them first.
 *
 * Cancellation: safe. Nothing listens then.
 *
 * @param handler - null if `routes` has one for each path that is served
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` for a bad option, `MW_ERR_WS_LISTEN` if it cannot listen there
 * @throws {@link UsageError} `MW_ERR_OUTSIDE_RUN` outside of a run
 * @see {@link https://websockets.readthedocs.io/en/stable/reference/asyncio/server.html}
 *
 * @example
 * ```ts
 * import { connect, serve } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * await run(async () => {
 *   await using server = await serve(async (socket) => {
 *     for await (const message of socket) await socket.send(`you said ${message}`);
 *   });
 *   await using socket = await connect(server.url);
 *   await socket.send("hello");
 *   console.log(await socket.recv()); //> you said hello
 * });
 * ```
 */
export async function serve<User = undefined>(
  handler: Handler<User> | null,
  options: ServeOptions<User> = {},
): Promise<Server<User>> {
  const settled = settleServe(handler, options);
  if (currentScopeNode().runner.createTask === null) {
    const how = "call serve() inside run(main), for example await run(async () => { ... })";
    throw new UsageError("MW_ERR_OUTSIDE_RUN", `Cannot serve: no run is going on here to own the connections; ${how}`);
  }
  return openServer(settled);
}
