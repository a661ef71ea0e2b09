// Several API calls over one session, all at once.

import { ClientSession } from "@meanwhile/http";
import { gather, run } from "meanwhile";

import { serve } from "./support/serve.ts";

interface User {
  readonly id: string;
}

async function fetchUser(session: ClientSession, path: string): Promise<User> {
  await using response = await session.get(path);
  return await response.raiseForStatus().json<User>();
}

await run(async () => {
  await using server = await serve((request, response) => {
    setTimeout(() => response.end(JSON.stringify({ id: request.url?.split("/").at(-1) })), 50);
  });
  await using session = new ClientSession({ baseUrl: server.origin });
  const started = performance.now();
  const users = await gather(["/users/1", "/users/2", "/users/3"].map((path) => () => fetchUser(session, path)));
  console.log(users, `in ${Math.round(performance.now() - started)} ms`);
});
