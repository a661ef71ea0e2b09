import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { type Middleware, netrcAuth } from "@meanwhile/http";

import { parseNetrc } from "../src/netrc-file.ts";
import { through } from "./requests.ts";

const FAILED = { name: "HttpError", code: "MW_ERR_HTTP_CREDENTIALS_FILE" };

const TEXT = `# a comment machine no.test login no password no
machine shop.test login me password "se cret\\"" # the shop
machine API.test
  login you
  account none
  password #hash

macdef init
machine macro.test login evil password evil

machine shop.test login second password second
default login anonymous password guest
`;

/** Answers with the name and password that came. */
const echo: Middleware = (request) => {
  const field = request.headers.get("authorization");
  return request.respond({ body: field === null ? "none" : Buffer.from(field.slice(6), "base64").toString() });
};

/** A file of this text in a new directory, removed at the end of the block. */
async function netrc(text: string, mode = 0o600) {
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-netrc-"));
  const path = join(directory, "netrc");
  await writeFile(path, text);
  await chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

describe("netrcAuth", () => {
  it("logs in with what the file says about the host, or about all others", async () => {
    await using file = await netrc(TEXT);
    const send = through(netrcAuth(file.path), echo);
    for (const [url, login] of [
      ["http://shop.test/", 'me:se cret"'],
      ["https://shop.test:8443/", 'me:se cret"'],
      ["http://api.test/", "you:#hash"],
      ["http://www.shop.test/", "anonymous:guest"],
      ["http://macro.test/", "anonymous:guest"],
      ["http://no.test/", "anonymous:guest"],
    ] as const) {
      assert.equal(await (await send(url)).text(), login, url);
    }
  });

  it("sends nothing to a host that a redirect led to, and leaves what the caller set (C13)", async () => {
    await using file = await netrc(TEXT);
    const send = through(netrcAuth(file.path), echo);
    assert.equal(await (await send("http://shop.test/", { isCrossOrigin: true })).text(), "none");
    const mine = `Basic ${Buffer.from("a:b").toString("base64")}`;
    assert.equal(await (await send("http://shop.test/", { headers: { authorization: mine } })).text(), "a:b");
  });

  it("sends nothing where there is no file, or nothing about the host", async () => {
    await using file = await netrc("machine shop.test login me password canary");
    assert.equal(await (await through(netrcAuth(`${file.path}-none`), echo)("http://shop.test/")).text(), "none");
    assert.equal(await (await through(netrcAuth(file.path), echo)("http://other.test/")).text(), "none");
  });

  it("refuses a file that others may read, until that is mended", async () => {
    await using file = await netrc("machine shop.test login me password canary", 0o644);
    const send = through(netrcAuth(file.path), echo);
    await assert.rejects(send("http://shop.test/"), {
      ...FAILED,
      message: /others may read it; take that away with chmod 600$/,
    });
    await chmod(file.path, 0o600);
    assert.equal(await (await send("http://shop.test/")).text(), "me:canary");
  });

  it("refuses what is no file, or too large, or cannot be sent, and shows nothing of it", async () => {
    await using large = await netrc("#".repeat(1024 * 1024 + 1));
    await using colon = await netrc("machine shop.test login ca:nary password canary");
    for (const path of [large.path, colon.path, tmpdir(), "/dev/null"]) {
      await assert.rejects(through(netrcAuth(path), echo)("http://shop.test/"), (error) => {
        assert.ok(error instanceof Error && "code" in error && error.code === FAILED.code);
        return !inspect(error).includes("canary");
      });
    }
    for (const path of ["", 1, null]) {
      assert.throws(() => netrcAuth(path as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
  });
});

describe("parseNetrc", () => {
  it("reads what there is of a file that is cut short", () => {
    for (const [text, entries] of [
      ["", []],
      ["machine", []],
      ["login me password x", []],
      ["machine a login", [{ machine: "a" }]],
      ["machine a login me password", [{ machine: "a", login: "me" }]],
      ['machine a login "me', [{ machine: "a", login: '"me' }]],
      ["machine a\r\nlogin me\r\npassword x\r\n", [{ machine: "a", login: "me", password: "x" }]],
      ["machine machine login login", [{ machine: "machine", login: "login" }]],
    ] as const) {
      assert.deepEqual(parseNetrc(text), entries, text);
    }
  });

  it("takes time in proportion to the length, whatever it reads", () => {
    const pieces = ["machine a ", '"', "\\", '\\"', ' "', "# ", "\n", "macdef x\n", "a", '"\\" ', "login "];
    const texts = pieces.map((piece) => piece.repeat(200_000 / piece.length));
    for (const one of pieces) for (const two of pieces) texts.push((one + two).repeat(10_000));
    const begin = performance.now();
    for (const text of texts) parseNetrc(text);
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    const micros = (performance.now() - begin) * 1_000;
    // Takes less than a tenth of this.
    assert.ok(micros < 3 * bytes, `${micros.toFixed(0)} µs for ${bytes} bytes`);
  });
});
