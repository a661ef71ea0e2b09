// What a link is made of: a client that has logged in, and all that is needed to reach its server again.

import type { Socket } from "node:net";

import type { ConnectSettled } from "./connect-options.ts";
import type { DialedServer } from "./dial.ts";
import type { PgClient } from "./driver.ts";

export interface LinkParts {
  readonly client: PgClient;
  readonly socket: Socket;
  readonly server: DialedServer;
  readonly settled: ConnectSettled;
  /** As the server has told them; it goes on telling. */
  readonly parameters: Map<string, string>;
  /** Runs what makes sockets: they outlive the task that caused them, and must not keep its scope. */
  readonly inContext: <R>(callback: () => R) => R;
}
