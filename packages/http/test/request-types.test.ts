import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, type Middleware } from "@meanwhile/http";

interface Query {
  readonly name: string;
  readonly count?: number;
}

interface Upload {
  readonly title: string;
  readonly file: Blob;
}

const QUERY: Query = { name: "a b", count: 2 };
const echo: Middleware = (request) => {
  const { body } = request;
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : String(body);
  return request.respond({ body: `${request.url.search} ${text}` });
};

async function sent(session: ClientSession, options: Parameters<ClientSession["post"]>[1]): Promise<string> {
  return (await session.post("http://a.test/", { ...options, middlewares: [echo] })).text();
}

describe("what a request can be given", () => {
  it("may be of the type of an interface", async () => {
    await using session = new ClientSession();
    assert.equal(await sent(session, { params: QUERY }), "?name=a+b&count=2 null");
    assert.equal(await sent(session, { form: QUERY }), " name=a+b&count=2");
    const upload: Upload = { title: "t", file: new Blob(["x"]) };
    assert.equal(await sent(session, { multipart: upload }), " undefined");
  });

  it("may be pairs of any iterable, with lists as values", async () => {
    await using session = new ClientSession();
    const pairs = new Map<string, string | number[]>([
      ["a", "1"],
      ["b", [2, 3]],
    ]);
    assert.equal(await sent(session, { params: pairs }), "?a=1&b=2&b=3 null");
    assert.equal(await sent(session, { params: [["a", 1]] }), "?a=1 null");
    for (const params of [["a"], new Set(["ab"]), [[1, 2]], { a: {} }, { a: Symbol("a") }]) {
      await assert.rejects(sent(session, { params }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0 });
    }
  });

  it("may be an ArrayBuffer as the body", async () => {
    await using session = new ClientSession();
    const { buffer } = Uint8Array.from(Buffer.from("bytes"));
    assert.equal(await sent(session, { body: buffer }), " bytes");
  });
});
