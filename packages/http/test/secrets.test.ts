import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { ClientSession, type RequestOptions } from "@meanwhile/http";
import { fixed } from "meanwhile";

import { answering, deadUrl, serve, serveRaw } from "./servers.ts";

const SECRET = "canary";
const QUERY = `?token=${SECRET}&api_key=${SECRET}&X-Amz-Signature=${SECRET}&Password=${SECRET}&client_secret=${SECRET}&%74oken=${SECRET}&q=shown#${SECRET}`;
const HEADERS = { authorization: `Bearer ${SECRET}`, cookie: `s=${SECRET}`, "x-api-key": SECRET };

/** Everything an error shows, however it is printed. */
function allOf(error: unknown): string {
  assert.ok(error instanceof Error);
  const seen = [
    inspect(error, { depth: Infinity, showHidden: true, getters: true }),
    error.stack,
    JSON.stringify(error),
    String(error),
  ];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    seen.push(inspect(cause, { depth: 4, showHidden: true }), cause.stack);
  return seen.join("\n");
}

const secretUrl = (url: string) => `${url.replace("//", `//${SECRET}:${SECRET}@`)}/path${QUERY}`;

describe("errors", () => {
  it("show no secret of a request that fails, whatever makes it fail", async () => {
    const leaking = `HTTP/1.1 302 Found\r\nSet-Cookie: s=${SECRET}\r\nLocation: `;
    const answers: Readonly<Record<string, string>> = {
      garbage: `${SECRET} is not HTTP\r\n\r\n`,
      "bad header": `HTTP/1.1 200 OK\r\nSet-Cookie: s=${SECRET}\r\nBad Header ${SECRET}\r\n\r\n`,
      short: `HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\nSet-Cookie: ${SECRET}\r\n\r\n${SECRET}`,
      json: `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n${SECRET}`,
      encoding: `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n${SECRET}`,
      "unknown coding": `HTTP/1.1 200 OK\r\nContent-Encoding: ${SECRET}\r\nContent-Length: 6\r\n\r\n${SECRET}`,
      status: `HTTP/1.1 500 Oops\r\nSet-Cookie: ${SECRET}\r\nContent-Length: 0\r\n\r\n`,
      scheme: `${leaking}file:///x\r\nContent-Length: 0\r\n\r\n`,
      loop: `${leaking}/path?token=${SECRET}\r\nContent-Length: 0\r\n\r\n`,
      userinfo: `${leaking}http://${SECRET}:${SECRET}@[bad\r\nContent-Length: 0\r\n\r\n`,
      headers: `HTTP/1.1 200 OK\r\n${`X-A: ${SECRET}\r\n`.repeat(200)}\r\n`,
    };
    await using session = new ClientSession({
      headers: HEADERS,
      raiseForStatus: true,
      retry: { attempts: 2, backoff: fixed(0) },
    });
    for (const [name, answer] of Object.entries(answers)) {
      await using server = await serveRaw((socket) => {
        answering(answer)(socket);
        if (name === "short") socket.once("data", () => setTimeout(() => socket.end(), 2));
      });
      await assert.rejects(
        async () => (await session.get(secretUrl(server.url))).json(),
        (error) => {
          assert.doesNotMatch(allOf(error), /canary/, name);
          assert.match(allOf(error), /q=shown/);
          return true;
        },
      );
    }
  });

  it("show no secret when nothing can be sent", async () => {
    await using session = new ClientSession({ timeouts: { idleMs: 4, poolMs: 4 }, limit: 1 });
    await using silent = await serve(() => {});
    const dead = await deadUrl();
    const calls: ReadonlyArray<[string, RequestOptions?]> = [
      [secretUrl(dead)],
      [secretUrl(silent.url)],
      [secretUrl(dead), { headers: { "x-key": `${SECRET}\r\n` } }],
      [secretUrl(dead), { headers: { "x-key": { secret: SECRET } as never } }],
      [
        secretUrl(dead),
        {
          json: {
            toJSON: () => {
              throw new TypeError(SECRET);
            },
          },
        },
      ],
      [secretUrl(dead), { body: { secret: SECRET } as never }],
      [secretUrl(dead), { timeouts: SECRET as never }],
      [`http://${SECRET}:pa/ss${SECRET}@h:99999/${QUERY}`],
      [`http://${SECRET}:%ff@h/${QUERY}`],
      [`nonsense://${SECRET}@h/${QUERY}`],
      [`${SECRET}:${SECRET}@h/${QUERY}`],
      [`http://${SECRET}@h/\n${QUERY}`],
    ];
    for (const [url, options] of calls) {
      await assert.rejects(session.post(url, options), (error) => {
        assert.doesNotMatch(allOf(error), /canary/);
        return true;
      });
    }
    await session.close();
    await assert.rejects(session.get(secretUrl(dead)), (error) => !allOf(error).includes(SECRET));
  });

  it("show no secret of a redirect to another origin", async () => {
    await using other = await serveRaw((socket) => socket.destroy());
    await using server = await serve((_request, response) =>
      response.writeHead(302, { location: secretUrl(other.url) }).end(),
    );
    await using session = new ClientSession({ headers: HEADERS });
    await assert.rejects(session.get(secretUrl(server.url)), (error) => {
      assert.doesNotMatch(allOf(error), /canary/);
      return true;
    });
  });
});
