import { after } from "node:test";

import { type EmbeddedServer, startEmbedded } from "@meanwhile/postgres";

import { describeBehaviours } from "./behaviours.ts";

let server: Promise<EmbeddedServer> | null = null;
after(async () => (await server)?.stop());

async function url(): Promise<string> {
  // Each connection of the queue's is a session: the tests of this file have several at a time.
  server ??= startEmbedded({ settings: { fsync: false, synchronous_commit: false, max_connections: 200 } });
  return (await server).dsn;
}

describeBehaviours({ name: "on PostgreSQL", skip: false, url });
