// Crawls an API: page after page by `Link`, then every item at once, no faster than the API allows. What fails is tried again.

import { ClientSession, type Middleware } from "@meanwhile/http";
import { fixed, gather, RateLimiter, run } from "meanwhile";

import { serve } from "./support/serve.ts";

/** The server's rule: 20 requests in any 100 ms. A middleware sees every attempt, so retries are counted too. */
function paced(rate: RateLimiter): Middleware {
  return async (request, next) => {
    await rate.acquire(); // no connection is held meanwhile
    return next(request);
  };
}

async function listAll(session: ClientSession): Promise<string[]> {
  const paths: string[] = [];
  for (let url: string | undefined = "/items"; url !== undefined;) {
    await using page = await session.get(url);
    paths.push(...(await page.json<string[]>()));
    url = page.link("next");
  }
  return paths;
}

async function load(session: ClientSession, path: string): Promise<number> {
  await using response = await session.get(path, { raiseForStatus: true });
  return response.attempts;
}

// 3 pages of 15 items; every ninth item is answered with 503 at first.
const asked = new Map<string, number>();
await using server = await serve((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  const times = (asked.get(pathname) ?? 0) + 1;
  asked.set(pathname, times);
  if (pathname !== "/items") {
    response.statusCode = Number(pathname.split("/").at(-1)) % 9 === 0 && times === 1 ? 503 : 200;
    response.end();
    return;
  }
  const page = Number(searchParams.get("page") ?? 1);
  if (page < 3) response.setHeader("link", `</items?page=${page + 1}>; rel="next"`);
  response.end(JSON.stringify(Array.from({ length: 15 }, (_, index) => `/items/${(page - 1) * 15 + index + 1}`)));
});

await run(async () => {
  await using session = new ClientSession({
    baseUrl: server.origin,
    limitPerHost: 6,
    middlewares: [paced(new RateLimiter({ limit: 20, intervalMs: 100 }))],
    retry: { attempts: 4, backoff: fixed(10), totalMs: 5_000 },
  });
  const started = performance.now();
  const paths = await listAll(session);
  const attempts = await gather(paths.map((path) => () => load(session, path)));
  const tried = attempts.filter((count) => count > 1).length;
  console.log(`${paths.length} items, ${tried} of them at the second attempt`); // 45 items, 5 of them …
  console.log(`${Math.round(performance.now() - started)} ms for 53 requests`); // more than 200 ms: 20 at once, 33 later
});
