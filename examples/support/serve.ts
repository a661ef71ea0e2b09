// A server on 127.0.0.1 for the examples. Leaving the block that holds it closes it.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";

/** A server that listens. */
export interface Served extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
}

/** Starts a server that answers with `handler`. */
export async function serve(handler: RequestListener): Promise<Served> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    origin: `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
