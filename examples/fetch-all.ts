// The note's real example: fetching multiple URLs. `meanwhile fetch` is this program, grown up.

import { ClientSession } from "@meanwhile/http";
import { gather, run } from "meanwhile";

import { serve } from "./support/serve.ts";

async function fetchOne(session: ClientSession, url: string): Promise<string> {
  await using response = await session.get(url);
  return await response.text();
}

async function fetchAll(urls: readonly string[]): Promise<string[]> {
  await using session = new ClientSession();
  return await gather(
    urls.map((url) => () => fetchOne(session, url)),
    { concurrency: 50 }, // of all jobs, so many run at once
  );
}

await using server = await serve((request, response) => {
  setTimeout(() => response.end(`Data from ${request.url}`), 20);
});
const urls = Array.from({ length: 200 }, (_, index) => `${server.origin}/users/${index + 1}`);
const started = performance.now();
const results = await run(() => fetchAll(urls));
console.log(`${results.length} answers in ${Math.round(performance.now() - started)} ms; the last: ${results.at(-1)}`);
