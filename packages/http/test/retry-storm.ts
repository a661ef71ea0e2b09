// Many clients, and a server that answers none of them well.

import { ClientSession, HttpError } from "@meanwhile/http";
import { taskGroup } from "meanwhile";

import { serve } from "./servers.ts";

export interface StormOptions {
  readonly clients: number;
  /** Among how many sessions the clients are divided. */
  readonly sessions: number;
  /** How many requests each client makes, one after the other. */
  readonly requests: number;
  /** How the server fails: with a status, or without an answer. */
  readonly failure: "status" | "reset" | "mixed";
}

export interface Storm {
  /** What the clients asked for. */
  readonly asked: number;
  /** What the server saw beyond that. */
  readonly extra: number;
  /** What of it came in place of a request that a kept connection has lost: it is no retry. */
  readonly resent: number;
  readonly failed: number;
  /** Slots that are taken in the end. */
  readonly inUse: number;
}

/** Lets all clients ask at once, and counts at the server. */
export async function storm({ clients, sessions: count, requests, failure }: StormOptions): Promise<Storm> {
  let [seen, lost, failed] = [0, 0, 0];
  const used = new WeakSet<object>();
  await using server = await serve((request, response) => {
    seen += 1;
    if (failure === "status" || (failure === "mixed" && seen % 2 === 0)) {
      used.add(request.socket);
      return response.writeHead(503).end("no");
    }
    if (used.has(request.socket)) lost += 1;
    return response.destroy();
  });
  const sessions = Array.from(
    { length: count },
    () => new ClientSession({ baseUrl: server.url, retry: 3, limit: Math.ceil(clients / count) }),
  );
  await taskGroup((group) => {
    for (let client = 0; client < clients; client++) {
      const session = sessions[client % count];
      group.createTask(async () => {
        for (let number = 0; number < requests; number++)
          if (await isFailure(session, `/${client}/${number}`)) failed += 1;
      });
    }
  });
  const inUse = sessions.reduce((sum, session) => sum + session.statistics().inUse, 0);
  for (const session of sessions) await session.close();
  const asked = clients * requests;
  return { asked, extra: seen - asked, resent: lost, failed, inUse };
}

async function isFailure(session: ClientSession | undefined, url: string): Promise<boolean> {
  try {
    await using response = await session?.get(url);
    return response?.status === 503;
  } catch (error) {
    if (error instanceof HttpError) return true;
    throw error;
  }
}
