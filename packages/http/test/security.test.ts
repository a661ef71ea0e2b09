// The list of threats to a client, a test for each row that no other file is about. The names of the others have the row
// too: C4 in public-only and private-redirects, C5 to C7 in sizes, C9 in multipart, C11 in cookies and cookie-files, C12 in
// tls, C13 in no-proxy, proxies and netrc, C15 in cookies, C16 in retries and retry-storm. All that a server can say is in
// hostile.test.ts.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { ClientSession, HttpError, redactUrl, RedirectError, type RequestOptions, Secret } from "@meanwhile/http";
import { MockNetwork } from "@meanwhile/http/testing";

import { EntryPolicy } from "../src/cache-policy.ts";
import { parseContentDisposition } from "../src/content-disposition.ts";
import { charsetOf, mediaTypeOf } from "../src/content-type.ts";
import { codingsOf } from "../src/decoding.ts";
import { safeFileName } from "../src/file-name.ts";
import { parseLinks } from "../src/links.ts";
import { ClientRequest } from "../src/middleware.ts";
import { DEFAULTS, type Settled } from "../src/options.ts";
import { type Hop, nextHop } from "../src/redirects.ts";
import { NO_PAYLOAD } from "../src/request-body.ts";
import { mergeFields, NO_FIELDS } from "../src/request-headers.ts";
import { retryAfterMs } from "../src/retry-after.ts";
import { answering, onEachHead, serve, serveRaw } from "./servers.ts";

const CANARY = "canary";
const SECRETS = {
  authorization: `Bearer ${CANARY}`,
  cookie: `s=${CANARY}`,
  "x-api-key": new Secret(CANARY),
  "x-list": [new Secret(CANARY), "open"],
};
const LINE = { method: "GET", url: "http://h/" };

/** A request with every kind of secret, on its way to `url`. */
function secretHop(url: string, method = "GET"): Hop {
  const fields = mergeFields(NO_FIELDS, { ...SECRETS, "x-plain": "1" }, LINE);
  const payload = method === "GET" ? NO_PAYLOAD : { content: CANARY, type: undefined };
  return { url: new URL(url), method, fields, payload, redirects: [], isCrossOrigin: false, isPublicOnly: false };
}

const follow = (hop: Hop, status: number, location: string, options: Partial<Settled> = {}): Hop | null =>
  nextHop(hop, status, { location }, { ...DEFAULTS, ...options });

const shown = (hop: Hop | null): string =>
  JSON.stringify([hop?.url.href, hop === null ? [] : [...hop.fields], hop?.payload]);

describe("C1: a redirect to another origin", () => {
  const changes: ReadonlyArray<[string, string, string]> = [
    ["another scheme, up", "http://a.test/", "https://a.test/"],
    ["another scheme, down", "https://a.test/", "http://a.test/"],
    ["another port", "https://a.test/", "https://a.test:8443/"],
    ["another host", "https://a.test/", "https://b.test/"],
    ["a host within", "https://a.test/", "https://sub.a.test/"],
    ["the host around", "https://sub.a.test/", "https://a.test/"],
    ["a dot behind the host", "https://a.test/", "https://a.test./"],
    ["an address for a name", "http://localhost:81/", "http://127.0.0.1:81/"],
  ];
  for (const [what, from, to] of changes) {
    for (const status of [301, 302, 303, 307, 308]) {
      it(`takes no secret along with ${status} and ${what}`, () => {
        const next = follow(secretHop(from), status, to.replace("//", `//user:${CANARY}@`), { allowDowngrade: true });
        assert.doesNotMatch(shown(next), /canary/);
        assert.deepEqual([next?.url.origin, next?.isCrossOrigin], [new URL(to).origin, true]);
        assert.deepEqual(next?.fields.get("x-plain"), ["1"]);
        // Not on the way back either.
        const back = next === null ? null : follow(next, status, `${from}back`, { allowDowngrade: true });
        assert.doesNotMatch(shown(back), /canary/);
        assert.equal(back?.isCrossOrigin, true);
      });

      it(`takes no body along with ${status} and ${what}`, () => {
        const hop = secretHop(from, "POST");
        const options = { allowDowngrade: true };
        if (status < 307) return assert.doesNotMatch(shown(follow(hop, status, to, options)), /canary/);
        assert.throws(() => follow(hop, status, to, options), { code: "MW_ERR_HTTP_REDIRECT_REFUSED" });
        const allowed = follow(hop, status, to, { ...options, allowCrossOriginBody: true });
        assert.equal(allowed?.payload.content, CANARY);
        return assert.doesNotMatch(JSON.stringify([...(allowed?.fields ?? [])]), /canary/);
      });
    }

    it(`is none with 300 and ${what}`, () => {
      assert.equal(follow(secretHop(from), 300, to), null);
    });
  }

  it("keeps them all within the origin, however it is spelled", () => {
    for (const to of ["/b", "//A.test/b", "https://a.test:443/b", "https://A.TEST/b", "?b"]) {
      const next = follow(secretHop("https://a.test/a"), 307, to);
      assert.equal(shown(next).split(CANARY).length - 1, 4, to);
    }
  });

  it("sends none of them over a real connection", async () => {
    await using other = await serve((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    await using server = await serve((_request, response) => response.writeHead(307, { location: other.url }).end());
    await using session = new ClientSession({ headers: SECRETS });
    const text = await (await session.get(server.url.replace("//", `//user:${CANARY}@`))).text();
    assert.doesNotMatch(text, new RegExp(`canary|${Buffer.from(`user:${CANARY}`).toString("base64")}`));
  });
});

describe("C2 and C3: a chain of redirects", () => {
  it("shows in its error which URLs it asked, without their secrets", async () => {
    const network = new MockNetwork();
    network.get(/./, ({ url }) => ({
      status: 302,
      headers: { location: `http://u:${CANARY}@h.test/${Number(url.pathname.slice(1)) + 1}?token=${CANARY}` },
    }));
    await using session = new ClientSession({ middlewares: [network.middleware] });
    await assert.rejects(session.get(`http://h.test/0?key=${CANARY}`), (error) => {
      assert.ok(error instanceof RedirectError);
      assert.equal(error.code, "MW_ERR_HTTP_TOO_MANY_REDIRECTS");
      assert.equal(error.redirects.length, 11);
      assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /canary/);
      return true;
    });
  });

  it("refuses another scheme at every hop", () => {
    const schemes = [
      "file:///x",
      "data:,x",
      "javascript:x",
      "unix:/x",
      "ftp://h/",
      "ws://h/",
      "blob:http://h/1",
      "about:blank",
    ];
    for (const location of schemes) {
      for (const redirects of [[], ["http://h/0"], Array.from({ length: 9 }, (_, index) => `http://h/${index}`)]) {
        const hop = { ...secretHop("http://h/"), redirects };
        assert.throws(() => follow(hop, 302, location), { code: "MW_ERR_HTTP_REDIRECT_REFUSED" }, location);
      }
    }
  });
});

describe("C6 and C7: limits", () => {
  const body = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
  const fields = (count: number) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${"X: 1\r\n".repeat(count)}\r\n`;

  it("of the body hold to the byte on a kept connection and behind a redirect", async () => {
    const moved = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
    await using server = await serveRaw(answering(body(100), body(100), moved, body(100), moved, body(101)));
    await using session = new ClientSession({ baseUrl: server.url, maxBodyBytes: 100 });
    for (let index = 0; index < 3; index += 1) assert.equal((await (await session.get("/a")).text()).length, 100);
    await assert.rejects(async () => (await session.get("/a")).text(), { code: "MW_ERR_HTTP_BODY_TOO_LARGE" });
    assert.equal(server.sockets.length, 1);
  });

  it("of the header fields hold for a trailer on a kept connection, and after an informational answer", async () => {
    const informed = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    await using server = await serveRaw(answering(body(2), fields(127), `${informed}${fields(127)}`, fields(200)));
    await using session = new ClientSession({ baseUrl: server.url });
    for (let index = 0; index < 3; index += 1) await (await session.get("/")).text();
    await assert.rejects(async () => (await session.get("/")).text(), { code: "MW_ERR_HTTP_HEADERS_TOO_LARGE" });
    assert.equal(session.statistics().inUse, 0);
  });
});

describe("C8: a slow server", () => {
  it("cannot keep a small call beyond totalMs by a byte now and then", async () => {
    await using server = await serveRaw((socket) => {
      onEachHead(socket, () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        const drip = setInterval(() => socket.write("x"), 2);
        socket.once("close", () => clearInterval(drip));
      });
    });
    await using session = new ClientSession({ timeouts: { totalMs: 60 } });
    await assert.rejects(async () => (await session.get(server.url)).text(), { code: "MW_ERR_HTTP_TOTAL_TIMEOUT" });
    await server.allClosed();
  });
});

describe("C9: characters that would end a field", () => {
  const controls = Array.from({ length: 33 }, (_, code) => String.fromCharCode(code === 32 ? 127 : code));
  const places: Readonly<Record<string, (text: string) => [string, string, RequestOptions]>> = {
    "the method": (text) => [`GE${text}T`, "/", {}],
    "the URL": (text) => ["GET", `/a${text}b`, {}],
    "a name": (text) => ["GET", "/", { headers: { [`x${text}y`]: "1" } }],
    "a value": (text) => ["GET", "/", { headers: { x: `1${text}2` } }],
    "a secret": (text) => ["GET", "/", { headers: { x: new Secret(`1${text}2`) } }],
    "a cookie": (text) => ["GET", "/", { headers: { cookie: `a=1${text}2` } }],
  };
  for (const [place, request] of Object.entries(places)) {
    it(`are refused in ${place} before anything is sent`, async () => {
      const network = new MockNetwork();
      await using session = new ClientSession({ baseUrl: "http://h.test", middlewares: [network.middleware] });
      for (const text of controls) {
        // A tab may be part of a value.
        if (text === "\t" && !/method|URL|name/.test(place)) continue;
        const [method, url, options] = request(text);
        await assert.rejects(session.request(method, url, options), (error) => {
          assert.ok(error instanceof HttpError, String(error));
          assert.match(error.code, /^MW_ERR_HTTP_INVALID_(ARGUMENT|HEADER|URL)$/);
          assert.equal(error.attempts, 0);
          return true;
        });
      }
      assert.equal(network.unmatched.length, 0);
    });
  }
});

describe("C10: a server that says more than it was asked", () => {
  it("cannot answer the next request when connections are not kept", async () => {
    const poisoned = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    await using server = await serveRaw(answering(poisoned));
    await using session = new ClientSession({ baseUrl: server.url, keepAlive: false });
    for (let index = 0; index < 4; index += 1) assert.equal(await (await session.get("/")).text(), "ok");
    assert.equal(server.sockets.length, 4);
    assert.equal(session.statistics().idle, 0);
  });
});

describe("C14: secrets", () => {
  it("are in no error of a fault, whatever it is, nor in the session or the response", async () => {
    const network = new MockNetwork();
    const url = `http://u:${CANARY}@h.test/?token=${CANARY}#${CANARY}`;
    const faults = ["dns", "connect", "tls", "connect-timeout", "timeout", "reset", "incomplete", "protocol"] as const;
    for (const fail of faults) network.get("/", { fail, headers: { "set-cookie": `s=${CANARY}` } }).once();
    network.get("/", { status: 500, headers: { "set-cookie": CANARY, "x-echo": CANARY }, body: CANARY }).once();
    network.get("/", { body: CANARY }).once();
    await using session = new ClientSession({
      headers: SECRETS,
      raiseForStatus: true,
      middlewares: [network.middleware],
    });
    for (let index = 0; index < faults.length + 2; index += 1) {
      await assert.rejects(
        async () => (await session.get(url)).json(),
        (error) => {
          const seen = [inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error), String(error)];
          if (error instanceof Error) seen.push(error.stack ?? "", inspect(error.cause, { depth: Infinity }));
          assert.doesNotMatch(seen.join("\n"), /canary/);
          return true;
        },
      );
    }
    assert.doesNotMatch(inspect(session.statistics(), { depth: Infinity }), /canary/);
    network.assertDone();
  });
});

describe("C17: what reads header fields", () => {
  const request = new ClientRequest({ ...secretHop("http://h/"), fields: NO_FIELDS }, DEFAULTS, 1);
  const readers: Readonly<Record<string, (text: string) => unknown>> = {
    "Content-Disposition": (text) => parseContentDisposition(text),
    "Content-Type": (text) => [mediaTypeOf(text), charsetOf(text)],
    "Content-Encoding": (text) => codingsOf(text, LINE),
    Link: (text) => parseLinks(text, "http://h/"),
    Location: (text) => follow(secretHop("http://h/"), 302, text),
    "Retry-After": (text) => retryAfterMs(text),
    "Cache-Control": (text) =>
      EntryPolicy.of(request, 200, { "cache-control": text, vary: text, etag: text }).isStorable,
    "a file name": (text) => safeFileName(text),
    "a URL in an error": (text) => redactUrl(text),
  };
  const seeds = [
    "a",
    " ",
    ",",
    ";",
    "=",
    '"',
    "\\",
    "<",
    ">",
    "%",
    "%41",
    '"\\',
    "a=",
    ", <",
    'rel="',
    ";a=b",
    "filename*=",
    "utf-8''",
    "/",
    "@",
    "?",
    "&key=",
    "\u00e9",
    ". ",
    "..",
    "=?=",
    "\t",
    "''",
    "0",
    "-",
  ];
  for (const [name, read] of Object.entries(readers)) {
    it(`takes time in proportion to its length: ${name}`, () => {
      for (const seed of seeds) {
        for (const frame of [
          (text: string) => text,
          (text: string) => `a;b="${text}`,
          (text: string) => `<${text}>;rel=x`,
        ]) {
          const text = frame(seed.repeat(Math.ceil(30_000 / seed.length)));
          const started = performance.now();
          try {
            read(text);
          } catch (error) {
            assert.ok(error instanceof HttpError, `${JSON.stringify(seed)}: ${String(error)}`);
          }
          // 10 µs for each byte, which a square of the length would need a thousand times.
          const took = performance.now() - started;
          assert.ok(took < text.length / 100, `${JSON.stringify(seed)}: ${took} ms`);
        }
      }
    });
  }
});
