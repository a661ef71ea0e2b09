import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, CookieJar } from "@meanwhile/http";

import { expectWarning } from "../../../tools/test-setup.ts";
import { serve } from "./servers.ts";

/** Sets the cookies that the query names, redirects to its `to`, and notes what cookies came. */
async function cookieServer() {
  const seen: string[] = [];
  const server = await serve((request, response) => {
    const url = new URL(request.url ?? "/", "http://server.test");
    seen.push(`${url.pathname} ${request.headers.cookie ?? "none"}`);
    const to = url.searchParams.get("to");
    if (url.searchParams.has("set")) response.setHeader("set-cookie", url.searchParams.getAll("set"));
    response.writeHead(to === null ? 200 : 302, to === null ? {} : { location: to }).end();
  });
  return { seen, url: server.url, port: server.port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const setting = (...cookies: ReadonlyArray<string>) =>
  `?${cookies.map((cookie) => `set=${encodeURIComponent(cookie)}`).join("&")}`;

describe("the cookies of a session", () => {
  it("are not kept by default", async () => {
    await using server = await cookieServer();
    await using session = new ClientSession({ baseUrl: server.url });
    await session.get(`/a${setting("x=1")}`);
    await session.get("/b");
    assert.deepEqual(server.seen, ["/a none", "/b none"]);
  });

  it("go back to the host that set them", async () => {
    await using server = await cookieServer();
    await using session = new ClientSession({ baseUrl: server.url, cookies: true });
    await session.get(`/a${setting("x=1", "y=2; Path=/b", "z=3; Max-Age=0")}`);
    await session.get("/b");
    await session.get(`http://localhost:${server.port}/c`);
    assert.deepEqual(server.seen, ["/a none", "/b y=2; x=1", "/c none"]);
  });

  it("are set by every hop of a redirect, and chosen anew for the next", async () => {
    await using server = await cookieServer();
    const jar = new CookieJar();
    await using session = new ClientSession({ baseUrl: server.url, cookies: jar });
    const other = `http://localhost:${server.port}/c`;
    await session.get(`/a${setting("x=1; Path=/")}&to=${encodeURIComponent(`/b${setting("y=2")}&to=${other}`)}`);
    await session.get("/d");
    assert.deepEqual(server.seen, ["/a none", "/b x=1", "/c none", "/d x=1; y=2"]);
    assert.deepEqual(
      [...jar].map(({ domain }) => domain),
      ["127.0.0.1", "127.0.0.1"],
    );
  });

  it("are shared by the sessions that have one jar", async () => {
    await using server = await cookieServer();
    const cookies = new CookieJar();
    cookies.set("mine=0", server.url);
    await using one = new ClientSession({ baseUrl: server.url, cookies });
    await using two = new ClientSession({ baseUrl: server.url, cookies });
    await one.get(`/a${setting("x=1")}`);
    await two.get("/b");
    assert.deepEqual(server.seen, ["/a mine=0", "/b mine=0; x=1"]);
  });

  it("are dropped when they are bad, and the answer comes all the same", async () => {
    await using warnings = expectWarning("MW_WARN_HTTP_COOKIE_REFUSED");
    await using server = await cookieServer();
    await using session = new ClientSession({ baseUrl: server.url, cookies: true });
    for (let count = 0; count < 5; count += 1) {
      const response = await session.get(`/a${setting("x=1; Domain=com", "noname", "y=2; Domain=0.0.1")}`);
      assert.equal(response.status, 200);
    }
    await warnings.first();
    assert.deepEqual([warnings.seen.length, server.seen.at(-1)], [1, "/a none"]);
  });
});
