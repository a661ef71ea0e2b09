import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, CookieJar, RedirectError } from "@meanwhile/http";

import { DEFAULTS } from "../src/options.ts";
import { type Hop, nextHop } from "../src/redirects.ts";
import { NO_PAYLOAD } from "../src/request-body.ts";
import { serve } from "./servers.ts";

interface Seen {
  method: string;
  url: string;
  headers: Record<string, string | undefined>;
  body: string;
}

/** A server whose path says what it answers: /302/to/<encoded location>; anything else is echoed. */
const redirector = () =>
  serve((request, response, body) => {
    const [, status, location] = /^\/(\d{3})\/to\/(.+)$/.exec(request.url ?? "") ?? [];
    if (status !== undefined && location !== undefined)
      response.writeHead(Number(status), { location: Buffer.from(decodeURIComponent(location)).toString("latin1") });
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });

const to = (status: number, location: string) => `/${status}/to/${encodeURIComponent(location)}`;
const SECRETS = { Authorization: "Bearer canary", Cookie: "canary=1" };

describe("redirects", () => {
  it("are followed with the method that the status asks for", async () => {
    await using server = await redirector();
    await using session = new ClientSession({ baseUrl: server.url });
    const expected: ReadonlyArray<[number, string, string, string]> = [
      [301, "POST", "GET", ""],
      [302, "POST", "GET", ""],
      [301, "PUT", "PUT", "body"],
      [303, "POST", "GET", ""],
      [303, "PUT", "GET", ""],
      [307, "POST", "POST", "body"],
      [308, "PUT", "PUT", "body"],
    ];
    for (const [status, method, then, body] of expected) {
      const seen = await (await session.request(method, to(status, "/end"), { body: "body" })).json<Seen>();
      assert.deepEqual([status, seen.method, seen.body, seen.url], [status, then, body, "/end"]);
      assert.equal(seen.headers["content-type"] === undefined, body === "");
    }
    for (const status of [301, 302, 303, 307, 308]) {
      const head = await session.head(to(status, "/end"));
      assert.deepEqual([head.status, head.url], [200, `${server.url}/end`]);
    }
  });

  it("are listed in order, relative ones resolved", async () => {
    await using server = await redirector();
    await using session = new ClientSession({ baseUrl: server.url });
    const first = to(302, to(301, "../../end?q=é#part"));
    const response = await session.get(first);
    assert.deepEqual(response.redirects, [server.url + first, server.url + to(301, "../../end?q=é#part")]);
    assert.match(response.url, /\/end\?q=%C3%A9$/);
    assert.equal(server.sockets.length, 1);
  });

  it("take credentials along within an origin and drop them on the way to another", async () => {
    await using server = await redirector();
    await using other = await redirector();
    await using session = new ClientSession({ headers: { ...SECRETS, "X-Plain": "1" } });
    const elsewhere = [other.url, server.url.replace("127.0.0.1", "localhost")];
    for (const status of [301, 302, 303, 307, 308]) {
      const same = await (await session.get(server.url + to(status, `${server.url}/end`))).json<Seen>();
      for (const [name, value] of Object.entries(SECRETS)) assert.equal(same.headers[name.toLowerCase()], value);
      for (const origin of elsewhere) {
        const seen = await (await session.get(server.url + to(status, `${origin}/end`))).json<Seen>();
        assert.doesNotMatch(JSON.stringify(seen.headers), /canary/);
        assert.equal(seen.headers["x-plain"], "1");
        const back = `${origin}${to(302, `${server.url}/home`)}`;
        const home = await (await session.get(server.url + to(status, back))).json<Seen>();
        assert.doesNotMatch(JSON.stringify(home.headers), /canary/, "they must not come back either");
      }
    }
  });

  it("drop the userinfo of the URL on the way to another origin, and never take one from the server", async () => {
    await using server = await redirector();
    await using other = await redirector();
    await using session = new ClientSession();
    const withUser = server.url.replace("//", "//canary:canary@");
    const same = await (await session.get(withUser + to(302, "/end"))).json<Seen>();
    assert.equal(same.headers["authorization"], `Basic ${Buffer.from("canary:canary").toString("base64")}`);
    const response = await session.get(withUser + to(302, `${other.url.replace("//", "//mallory:x@")}/end`));
    assert.equal(response.url, `${other.url}/end`);
    assert.equal((await response.json<Seen>()).headers["authorization"], undefined);
    assert.doesNotMatch(response.redirects.join(), /canary/);
  });

  it("do not take a body to another origin", async () => {
    await using server = await redirector();
    await using other = await redirector();
    await using session = new ClientSession({ baseUrl: server.url });
    for (const status of [307, 308]) {
      await assert.rejects(session.post(to(status, `${other.url}/end`), { body: "canary" }), (error) => {
        assert.ok(error instanceof RedirectError);
        assert.equal(error.code, "MW_ERR_HTTP_REDIRECT_REFUSED");
        assert.match(error.message, /must not get the body/);
        return true;
      });
    }
    assert.equal(other.sockets.length, 0);
    assert.equal(session.statistics().inUse, 0);
  });

  it("do not send a streamed body again", async () => {
    await using server = await redirector();
    await using session = new ClientSession({ baseUrl: server.url });
    async function* body() {
      yield "once";
    }
    await assert.rejects(session.post(to(307, "/end"), { body: body() }), {
      code: "MW_ERR_HTTP_REDIRECT_REFUSED",
      message: /cannot be sent again/,
    });
    const seen = await (await session.post(to(303, "/end"), { body: body() })).json<Seen>();
    assert.equal(seen.method, "GET");
  });

  it("end at a loop, and after maxRedirects", async () => {
    let count = 0;
    await using server = await serve((request, response) => {
      count += 1;
      const next: Record<string, string> = { "/a": "/b", "/b": "/a", "/self": "/self#again", "/query": "/query?" };
      response.writeHead(302, { location: next[request.url ?? ""] ?? `/chain${count}` }).end();
    });
    await using session = new ClientSession({ baseUrl: server.url });
    for (const url of ["/a", "/self"]) {
      await assert.rejects(session.get(url), { code: "MW_ERR_HTTP_REDIRECT_LOOP" });
    }
    count = 0;
    await assert.rejects(session.get("/chain"), (error) => {
      assert.ok(error instanceof RedirectError);
      assert.equal(error.code, "MW_ERR_HTTP_TOO_MANY_REDIRECTS");
      assert.equal(error.redirects.length, 11);
      return true;
    });
    assert.equal(count, 11);
    await assert.rejects(session.get("/chain", { maxRedirects: 1 }), { code: "MW_ERR_HTTP_TOO_MANY_REDIRECTS" });
    const unfollowed = await session.get("/chain", { maxRedirects: 0 });
    assert.equal(unfollowed.status, 302);
    assert.equal(session.statistics().inUse, 0);
  });

  it("follow exactly maxRedirects", async () => {
    await using server = await redirector();
    await using session = new ClientSession({ baseUrl: server.url, maxRedirects: 2 });
    assert.equal((await session.get(to(302, to(302, "/end")))).status, 200);
    await assert.rejects(session.get(to(302, to(302, to(302, "/end")))), { code: "MW_ERR_HTTP_TOO_MANY_REDIRECTS" });
  });

  it("lead only to http and https", async () => {
    await using server = await redirector();
    await using session = new ClientSession({ baseUrl: server.url });
    for (const location of [
      "file:///etc/passwd",
      "data:text/plain,x",
      "unix:/run/x",
      "javascript:alert(1)",
      "ftp://x/",
      "ws://x/",
    ]) {
      await assert.rejects(session.get(to(302, location)), {
        code: "MW_ERR_HTTP_REDIRECT_REFUSED",
        message: /which is not followed/,
      });
    }
    await assert.rejects(session.get(to(302, "http://")), {
      code: "MW_ERR_HTTP_REDIRECT_REFUSED",
      message: /not a URL/,
    });
    assert.equal(session.statistics().inUse, 0);
  });

  it("do not lead from https to http unless allowed", () => {
    const hop = {
      url: new URL("https://h/"),
      method: "GET",
      fields: new Map(),
      payload: NO_PAYLOAD,
      redirects: [],
      isCrossOrigin: false,
      isPublicOnly: false,
    };
    const follow = (location: string, allowDowngrade: boolean) =>
      nextHop(hop, 302, { location }, { ...DEFAULTS, allowDowngrade })?.url.href;
    assert.throws(() => follow("http://h/", false), {
      code: "MW_ERR_HTTP_REDIRECT_REFUSED",
      message: /from https to http/,
    });
    assert.equal(follow("http://h/", true), "http://h/");
    assert.equal(follow("//other/", false), "https://other/");
  });

  it("without a Location are answers like any other", async () => {
    await using server = await serve((_request, response) => response.writeHead(304).end());
    await using session = new ClientSession();
    assert.equal((await session.get(server.url)).status, 304);
  });

  it("form no loop where the session keeps a cookie that is set on the way", () => {
    const url = new URL("http://a.test/");
    const shared = { method: "GET", fields: new Map(), payload: NO_PAYLOAD, redirects: [], isCrossOrigin: false };
    const hop: Hop = { ...shared, url, isPublicOnly: false };
    const headers = { location: "/", "set-cookie": "a=1" };
    const loop = { code: "MW_ERR_HTTP_REDIRECT_LOOP" };
    assert.equal(nextHop(hop, 302, headers, DEFAULTS, new CookieJar())?.url.href, url.href);
    assert.throws(() => nextHop(hop, 302, headers, DEFAULTS, null), loop);
    assert.throws(() => nextHop(hop, 302, { location: "/" }, DEFAULTS, new CookieJar()), loop);
  });
});
