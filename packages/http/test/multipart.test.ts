import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";

import { ClientSession, fileBody, type MultipartInput } from "@meanwhile/http";

import { serveAtOnce, type TestServer } from "./servers.ts";

interface Seen {
  readonly headers: Record<string, string>;
  /** Byte by byte, as Latin-1. */
  readonly raw: string;
}

/** Answers with what it was sent. */
const echo = (): Promise<TestServer> =>
  serveAtOnce((request: IncomingMessage, response: ServerResponse) => {
    buffer(request).then(
      (body) => response.end(JSON.stringify({ headers: request.headers, raw: body.toString("latin1") })),
      () => {},
    );
  });

async function send(multipart: MultipartInput): Promise<Seen> {
  await using server = await echo();
  await using session = new ClientSession();
  return await (await session.post(server.url, { multipart })).json<Seen>();
}

/** Reads the form with the parser of Node, which knows nothing of ours. */
function parsed({ headers, raw }: Seen): Promise<FormData> {
  const type = headers["content-type"] ?? "";
  return new Response(Buffer.from(raw, "latin1"), { headers: { "content-type": type } }).formData();
}

async function entriesOf(seen: Seen): Promise<unknown[]> {
  const entries = [];
  for (const [name, value] of await parsed(seen)) {
    entries.push(typeof value === "string" ? [name, value] : [name, value.name, value.type, await value.text()]);
  }
  return entries;
}

/** What stands between the boundaries, by the letter of RFC 2046. */
function partsOf({ headers, raw }: Seen): string[] {
  const boundary = /^multipart\/form-data; boundary=([\w-]+)$/.exec(headers["content-type"] ?? "")?.[1] ?? "";
  const pieces = `\r\n${raw}`.split(`\r\n--${boundary}`);
  assert.equal(pieces.at(0), "");
  assert.equal(pieces.at(-1), "--\r\n");
  return pieces.slice(1, -1).map((piece) => {
    assert.ok(piece.startsWith("\r\n"));
    return piece.slice(2);
  });
}

async function* chunks(...texts: string[]): AsyncGenerator<string, void> {
  yield* texts;
}

describe("A multipart body", () => {
  it("has text, numbers and lists as fields", async () => {
    const seen = await send({ text: "grüße", empty: "", n: 7, big: 8n, yes: true, list: ["a", "b"], none: undefined });
    assert.deepEqual(await entriesOf(seen), [
      ["text", "grüße"],
      ["empty", ""],
      ["n", "7"],
      ["big", "8"],
      ["yes", "true"],
      ["list", "a"],
      ["list", "b"],
    ]);
    assert.equal(Number(seen.headers["content-length"]), seen.raw.length);
    assert.equal(seen.headers["transfer-encoding"], undefined);
  });

  it("keeps the order of a list of pairs", async () => {
    const seen = await send([
      ["b", "1"],
      ["a", "2"],
      ["b", "3"],
    ]);
    assert.deepEqual(await entriesOf(seen), [
      ["b", "1"],
      ["a", "2"],
      ["b", "3"],
    ]);
  });

  it("may have no part at all", async () => {
    const seen = await send({});
    assert.deepEqual(partsOf(seen), []);
  });

  it("has files of every kind, with their names and types", async () => {
    const directory = await mkdtemp(join(tmpdir(), "multipart-"));
    try {
      const path = join(directory, "on disk.txt");
      await writeFile(path, "from disk");
      const seen = await send({
        bytes: { content: Buffer.from("bytes"), filename: "b.bin" },
        text: { content: "a,b", filename: "t.csv", type: "text/csv" },
        blob: new Blob(["blob"], { type: "image/png" }),
        file: new File(["file"], "f.txt", { type: "text/plain" }),
        path: { content: { path } },
        url: { content: { path: pathToFileURL(path) }, filename: "renamed" },
        body: fileBody(path),
        stream: { content: chunks("one ", "two"), filename: "s" },
      });
      assert.deepEqual(await entriesOf(seen), [
        ["bytes", "b.bin", "application/octet-stream", "bytes"],
        ["text", "t.csv", "text/csv", "a,b"],
        ["blob", "blob", "image/png", "blob"],
        ["file", "f.txt", "text/plain", "file"],
        ["path", "on disk.txt", "application/octet-stream", "from disk"],
        ["url", "renamed", "application/octet-stream", "from disk"],
        ["body", "on disk.txt", "application/octet-stream", "from disk"],
        ["stream", "s", "application/octet-stream", "one two"],
      ]);
      assert.equal(seen.headers["transfer-encoding"], "chunked");
      const known = await send({ path: { content: { path } }, blob: new Blob(["x"]) });
      assert.equal(Number(known.headers["content-length"]), known.raw.length);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("has header fields of its parts", async () => {
    const content = "{}";
    const seen = await send({
      meta: { content, type: "application/json", headers: { "Content-ID": "<1>", "x-n": 1 } },
    });
    assert.deepEqual(partsOf(seen), [
      'Content-Disposition: form-data; name="meta"\r\ncontent-id: <1>\r\nx-n: 1\r\nContent-Type: application/json\r\n\r\n{}',
    ]);
  });

  it("takes a FormData, as multipart and as body", async () => {
    const form = new FormData();
    form.append("a", "line\nnext\rlast\r\n");
    form.append("b", new File(["x\ny"], "n.txt", { type: "text/plain" }));
    await using server = await echo();
    await using session = new ClientSession();
    for (const options of [{ multipart: form }, { body: form }]) {
      const seen = await (await session.post(server.url, options)).json<Seen>();
      assert.deepEqual(await entriesOf(seen), [
        ["a", "line\r\nnext\r\nlast\r\n"],
        ["b", "n.txt", "text/plain", "x\ny"],
      ]);
    }
  });

  it("sends what the standard fetch sends, but for the boundary", async () => {
    const form = new FormData();
    form.append('na"me\r\n', "välue");
    form.append("file", new File(["content"], 'q"uo\nte.txt', { type: "text/plain" }));
    form.append("blob", new Blob(["b"]));
    await using server = await echo();
    await using session = new ClientSession();
    const ours = await (await session.post(server.url, { multipart: form })).json<Seen>();
    const theirs = JSON.parse(await (await fetch(server.url, { method: "POST", body: form })).text()) as Seen;
    const boundary = /boundary=(.*)$/.exec(theirs.headers["content-type"] ?? "")?.[1] ?? "";
    const ourBoundary = /boundary=(.*)$/.exec(ours.headers["content-type"] ?? "")?.[1] ?? "";
    assert.equal(ours.raw.replaceAll(ourBoundary, "B"), theirs.raw.replaceAll(boundary, "B"));
  });

  it("has another boundary each time, of more than 128 random bits", async () => {
    const boundaries = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      const { headers } = await send({ a: "1" });
      const [, random = ""] = /boundary=----meanwhile([0-9a-f]+)$/.exec(headers["content-type"] ?? "") ?? [];
      assert.ok(random.length * 4 >= 128);
      boundaries.add(random);
    }
    assert.equal(boundaries.size, 5);
  });
});

const REFUSED = [
  ...Array.from({ length: 0x20 }, (_, code) => code).filter((code) => code !== 0x0a && code !== 0x0d),
  ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index),
  0x2028,
  0x2029,
];
const ESCAPED: ReadonlyArray<readonly [string, string]> = [
  ['"', "%22"],
  ["\r", "%0D"],
  ["\n", "%0A"],
  ["\r\n", "%0D%0A"],
];
const HARMLESS = [0x20, 0x21, 0x25, 0x27, 0x3b, 0x5c, 0x7e, 0xa0, 0xe9, 0x20ac, 0x1f600];

describe("A name in a multipart body (C9)", () => {
  it("cannot have control characters", async () => {
    await using session = new ClientSession();
    for (const code of REFUSED) {
      const evil = `a${String.fromCodePoint(code)}b`;
      for (const multipart of [{ [evil]: "x" }, { a: { content: "x", filename: evil } }]) {
        await assert.rejects(
          session.post("http://127.0.0.1:1/", { multipart }),
          { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0 },
          `U+${code.toString(16)}`,
        );
      }
    }
  });

  it("cannot end its quotes or its line", async () => {
    const parts = ESCAPED.map(([raw]) => [`n${raw}`, { content: "x", filename: `f${raw}` }] as const);
    const seen = await send([...parts]);
    const heads = partsOf(seen).map((part) => part.split("\r\n")[0]);
    // A name has its ends of lines made CR LF first, as the standard has it; a file name has not.
    assert.deepEqual(
      heads,
      ESCAPED.map(([raw, escaped]) => {
        const name = raw === '"' ? "%22" : "%0D%0A";
        return `Content-Disposition: form-data; name="n${name}"; filename="f${escaped}"`;
      }),
    );
  });

  it("cannot bring a part or a header field along", async () => {
    const evil = 'x"\r\nContent-Type: text/html\r\n\r\n<script>\r\n--';
    const seen = await send({ [evil]: { content: "body", filename: evil } });
    const [part = "", ...others] = partsOf(seen);
    assert.deepEqual(others, []);
    const [head = "", body] = part.split("\r\n\r\n");
    assert.equal(head.split("\r\n").length, 2);
    assert.equal(body, "body");
  });

  it("has any other character as it is, in UTF-8", async () => {
    for (const code of HARMLESS) {
      const name = `a${String.fromCodePoint(code)}b`;
      const [part = ""] = partsOf(await send({ [name]: { content: "x", filename: name } }));
      const head = Buffer.from(part, "latin1").toString().split("\r\n")[0];
      assert.equal(head, `Content-Disposition: form-data; name="${name}"; filename="${name}"`);
    }
  });
});

describe("A multipart body that cannot be sent", () => {
  const BAD: ReadonlyArray<readonly [string, unknown]> = [
    ["text in place of a form", "a=1"],
    ["null", null],
    ["a value that is null", { a: null }],
    ["a function", { a: () => 1 }],
    ["a part without content", { a: { filename: "x" } }],
    ["content that is a number", { a: { content: 7 } }],
    ["content that is null", { a: { content: null } }],
    ["a path that is empty", { a: { content: { path: "" } } }],
    ["a path with NUL", { a: { content: { path: "a\0b" } } }],
    ["a file name that is no string", { a: { content: "x", filename: 7 } }],
    ["a type that is no string", { a: { content: "x", type: 7 } }],
    ["a disposition of its own", { a: { content: "x", headers: { "content-disposition": "form-data" } } }],
    ["its type twice", { a: { content: "x", type: "a/b", headers: { "content-type": "c/d" } } }],
    ["a name that is no string", [[1, "x"]]],
  ];
  for (const [what, multipart] of BAD) {
    it(`has ${what}`, async () => {
      await using session = new ClientSession();
      await assert.rejects(session.post("http://127.0.0.1:1/", { multipart: multipart as MultipartInput }), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
        attempts: 0,
      });
    });
  }

  it("has a part with a type or header fields that would end their line", async () => {
    await using session = new ClientSession();
    for (const part of [
      { content: "x", type: "a/b\r\nx: y" },
      { content: "x", headers: { "x-a": "b\r\nc: d" } },
      { content: "x", headers: { "x-a\r\n": "b" } },
    ]) {
      await assert.rejects(session.post("http://127.0.0.1:1/", { multipart: { part } }), {
        code: "MW_ERR_HTTP_INVALID_HEADER",
        attempts: 0,
      });
    }
  });

  it("comes along with another body", async () => {
    await using session = new ClientSession();
    await assert.rejects(session.post("http://127.0.0.1:1/", { multipart: { a: "1" }, json: 1 }), {
      code: "MW_ERR_HTTP_INVALID_ARGUMENT",
    });
  });

  it("names a file that cannot be read", async () => {
    await using session = new ClientSession();
    await using server = await echo();
    const path = join(tmpdir(), "there is no such file");
    await assert.rejects(session.post(server.url, { multipart: { a: { content: { path } } } }), (error: Error) => {
      assert.deepEqual(
        { code: Reflect.get(error, "code"), cause: Reflect.get(error.cause ?? {}, "code") },
        { code: "MW_ERR_HTTP_REQUEST_BODY", cause: "ENOENT" },
      );
      return true;
    });
    assert.equal(server.sockets.length, 0);
    assert.equal(session.statistics().inUse, 0);
  });
});

describe("A multipart body is sent again", () => {
  async function redirecting(): Promise<TestServer> {
    return serveAtOnce((request, response) => {
      buffer(request).then(
        (body) => {
          if (request.url === "/") response.writeHead(307, { location: "/end" }).end();
          else response.end(JSON.stringify({ headers: request.headers, raw: body.toString("latin1") }));
        },
        () => {},
      );
    });
  }

  it("after a redirect, if each of its parts can be made again", async () => {
    await using server = await redirecting();
    await using session = new ClientSession();
    const multipart = { a: "1", b: new Blob(["blob"]), c: { content: Buffer.from("bytes") } };
    const seen = await (await session.post(server.url, { multipart })).json<Seen>();
    assert.deepEqual((await entriesOf(seen)).length, 3);
  });

  it("but not if one of them is there only once", async () => {
    await using server = await redirecting();
    await using session = new ClientSession();
    const multipart = { a: "1", b: { content: chunks("x"), filename: "x" } };
    await assert.rejects(session.post(server.url, { multipart }), { code: "MW_ERR_HTTP_REDIRECT_REFUSED" });
    assert.equal(session.statistics().inUse, 0);
  });
});
