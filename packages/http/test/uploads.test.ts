import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";

import { ClientSession, fileBody, HttpError, type RequestOptions, type UploadProgress } from "@meanwhile/http";
import { createTask, moveOnAfter, run, sleep } from "meanwhile";

import { onEachHead, serveAtOnce, serveRaw, type TestServer } from "./servers.ts";

interface Seen {
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Byte by byte, as Latin-1. */
  readonly raw: string;
}

/** Answers with what it was sent; at `/again` with a redirect to `/`, at `/busy` with 503 the first time. */
function echo(): Promise<TestServer> {
  let asked = 0;
  return serveAtOnce((request, response) => {
    buffer(request).then(
      (body) => {
        asked += 1;
        if (request.url === "/again") return response.writeHead(307, { location: "/" }).end();
        if (request.url === "/busy" && asked === 1) return response.writeHead(503).end();
        const seen = { url: request.url, headers: request.headers, raw: body.toString("latin1") };
        return response.end(JSON.stringify(seen));
      },
      () => {},
    );
  });
}

async function send(options: RequestOptions, path = "/"): Promise<Seen> {
  await using server = await echo();
  await using session = new ClientSession({ baseUrl: server.url });
  return await (await session.put(path, options)).json<Seen>();
}

/** A file for the length of a test. */
async function temporary(content: string | Uint8Array): Promise<{ readonly path: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), "uploads-"));
  const path = join(directory, "file");
  await writeFile(path, content);
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

async function* chunks(...all: ReadonlyArray<string | Uint8Array>): AsyncGenerator<string | Uint8Array, void> {
  yield* all;
}

async function* late(text: Promise<string>): AsyncGenerator<string, void> {
  yield await text;
}

/** Takes a request head, and then nothing. */
const deaf = (): Promise<TestServer> =>
  serveRaw((socket: Socket) => {
    socket.once("data", () => socket.pause());
  });

describe("A body", () => {
  it("can be a Blob, with its size and type", async () => {
    const seen = await send({ body: new Blob(["bl", "ob"], { type: "x/y" }) });
    assert.deepEqual([seen.raw, seen.headers["content-type"], seen.headers["content-length"]], ["blob", "x/y", "4"]);
    const bare = await send({ body: new Blob(["b"]) });
    assert.deepEqual([bare.raw, bare.headers["content-type"]], ["b", undefined]);
    const empty = await send({ body: new Blob([]) });
    assert.deepEqual([empty.raw, empty.headers["content-length"]], ["", "0"]);
  });

  it("can be URLSearchParams", async () => {
    const seen = await send({ body: new URLSearchParams({ a: "1 2" }) });
    assert.deepEqual(
      [seen.raw, seen.headers["content-type"]],
      ["a=1+2", "application/x-www-form-urlencoded;charset=UTF-8"],
    );
  });

  it("can be a ReadableStream, which is cancelled if it is not read to its end", async () => {
    const seen = await send({ body: ReadableStream.from(["a", Buffer.from("b")]) });
    assert.deepEqual([seen.raw, seen.headers["transfer-encoding"]], ["ab", "chunked"]);
    const { promise: cancelled, resolve } = Promise.withResolvers<string>();
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: () => resolve("cancelled"),
    });
    await using server = await serveRaw((socket) => onEachHead(socket, () => socket.destroy()));
    await using session = new ClientSession();
    await assert.rejects(session.put(server.url, { body: endless }), { code: "MW_ERR_HTTP_RESET" });
    assert.equal(await cancelled, "cancelled");
  });

  it("cannot be a ReadableStream that somebody else reads", async () => {
    const body = ReadableStream.from(["a"]);
    const reader = body.getReader();
    await assert.rejects(send({ body }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    await reader.cancel();
  });

  it("cannot be anything else", async () => {
    for (const body of [7, {}, [], null, ["a"], new Map()]) {
      await assert.rejects(send({ body: body as never }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0 });
    }
  });

  it("of known size is refused if the caller says another one", async () => {
    await assert.rejects(send({ body: new Blob(["four"]), headers: { "content-length": 5 } }), HttpError);
    await assert.rejects(send({ body: chunks("four"), headers: { "content-length": 3 } }), HttpError);
    const seen = await send({ body: chunks("fo", "ur"), headers: { "content-length": 4 } });
    assert.deepEqual([seen.raw, seen.headers["content-length"]], ["four", "4"]);
  });
});

describe("fileBody", () => {
  it("sends a file with its size", async () => {
    const content = Buffer.alloc(300_000, "0123456789");
    await using file = await temporary(content);
    for (const path of [file.path, pathToFileURL(file.path)]) {
      const seen = await send({ body: fileBody(path), headers: { "content-type": "x/y" } });
      assert.equal(seen.headers["content-length"], "300000");
      assert.equal(seen.headers["content-type"], "x/y");
      assert.equal(seen.raw, content.toString());
    }
  });

  it("sends an empty file", async () => {
    await using file = await temporary("");
    const seen = await send({ body: fileBody(file.path) });
    assert.deepEqual([seen.raw, seen.headers["content-length"]], ["", "0"]);
  });

  it("sends it again after a redirect, and for a retry", async () => {
    await using file = await temporary("content");
    assert.equal((await send({ body: fileBody(file.path) }, "/again")).raw, "content");
    const retry = { attempts: 2, backoff: () => 0 };
    assert.equal((await send({ body: fileBody(file.path), retry }, "/busy")).raw, "content");
  });

  it("fails before anything is sent if there is no such file, or no regular one", async () => {
    await using server = await echo();
    await using session = new ClientSession({ baseUrl: server.url });
    for (const path of [join(tmpdir(), "there is no such file"), tmpdir(), "/dev/null"]) {
      await assert.rejects(session.put("/", { body: fileBody(path) }), { code: "MW_ERR_HTTP_REQUEST_BODY" });
    }
    assert.equal(server.sockets.length, 0);
    assert.equal(session.statistics().inUse, 0);
  });

  it("fails if the file has changed its size by the time it is sent", async () => {
    await using file = await temporary("before");
    await using server = await echo();
    await using session = new ClientSession({ baseUrl: server.url, limit: 1 });
    // A slow upload holds the only slot while the file changes.
    const { promise: free, resolve } = Promise.withResolvers<string>();
    const first = session.put("/", { body: late(free) });
    const second = session.put("/", { body: fileBody(file.path) });
    while (session.statistics().waiting === 0) await sleep(1);
    await writeFile(file.path, "and after");
    resolve("first");
    assert.equal((await (await first).json<Seen>()).raw, "first");
    await assert.rejects(second, (error) => {
      assert.ok(error instanceof HttpError);
      assert.equal(error.code, "MW_ERR_HTTP_REQUEST_BODY");
      assert.match(String(error.cause), /its size changed from 6 to 9 bytes/);
      return true;
    });
    assert.equal(session.statistics().inUse, 0);
  });

  it("fails and closes the connection if the file is cut while it is sent", async () => {
    await using file = await temporary(Buffer.alloc(4_000_000));
    await using server = await deaf();
    await using session = new ClientSession();
    const cut = async ({ sentBytes }: UploadProgress): Promise<void> => {
      if (sentBytes === 65_536) await truncate(file.path, 70_000);
      for (const socket of server.sockets) socket.resume();
    };
    await assert.rejects(
      session.put(server.url, { body: fileBody(file.path), onUploadProgress: (progress) => void cut(progress) }),
      (error) => {
        assert.ok(error instanceof HttpError);
        assert.equal(error.code, "MW_ERR_HTTP_REQUEST_BODY");
        assert.match(String(error.cause), /and 4000000 were announced/);
        return true;
      },
    );
    await server.allClosed();
  });

  it("closes the file when the request is cancelled", async () => {
    await using file = await temporary(Buffer.alloc(30_000_000));
    await using server = await deaf();
    await using session = new ClientSession();
    await run(async () => {
      const { promise: begun, resolve } = Promise.withResolvers<void>();
      const task = createTask(() =>
        session.put(server.url, { body: fileBody(file.path), onUploadProgress: () => resolve() }),
      );
      await begun;
      task.cancel();
      await assert.rejects(async () => task);
    });
    assert.equal(session.statistics().inUse, 0);
  });

  it("takes a path and nothing else", () => {
    for (const path of [
      "",
      "a\0b",
      7,
      null,
      new URL("http://127.0.0.1/x"),
      new URL("file:///a%2fb"),
      new URL("file:///%ff%zz"),
    ]) {
      assert.throws(() => fileBody(path as string), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
  });
});

describe("onUploadProgress", () => {
  const bytes = Buffer.alloc(200_000, "x");
  const KINDS: ReadonlyArray<readonly [string, () => RequestOptions, number | undefined]> = [
    ["text", () => ({ body: bytes.toString() }), 200_000],
    ["bytes", () => ({ body: bytes }), 200_000],
    ["JSON", () => ({ json: bytes.toString() }), 200_002],
    ["a form", () => ({ form: { a: bytes.toString() } }), 200_002],
    ["a Blob", () => ({ body: new Blob([bytes]) }), 200_000],
    ["an async iterable", () => ({ body: chunks(bytes, "y") }), undefined],
    ["a compressed body", () => ({ body: bytes, compress: "gzip" }), undefined],
  ];
  for (const [what, options, totalBytes] of KINDS) {
    it(`counts the bytes of ${what}`, async () => {
      const seen: UploadProgress[] = [];
      const { raw, headers } = await send({ ...options(), onUploadProgress: (progress) => void seen.push(progress) });
      assert.ok(seen.every((progress) => progress.totalBytes === totalBytes));
      assert.deepEqual(
        seen.map(({ sentBytes }) => sentBytes),
        seen.map(({ sentBytes }) => sentBytes).toSorted((a, b) => a - b),
      );
      assert.equal(seen.at(-1)?.sentBytes, raw.length);
      assert.equal(headers["content-length"], totalBytes === undefined ? undefined : String(totalBytes));
      // A Blob comes in pieces of its own.
      if (totalBytes !== undefined && what !== "a Blob") assert.ok(seen.length >= 4);
    });
  }

  it("counts a multipart body as a whole", async () => {
    const seen: UploadProgress[] = [];
    const { raw } = await send({ multipart: { a: new Blob([bytes]) }, onUploadProgress: (one) => void seen.push(one) });
    assert.deepEqual(seen.at(-1), { sentBytes: raw.length, totalBytes: raw.length });
  });

  it("is not called for an empty body, or for none", async () => {
    const never = (): void => assert.fail("called");
    for (const options of [{}, { body: "" }, { body: new Uint8Array(0) }, { body: chunks() }]) {
      await send({ ...options, onUploadProgress: never });
    }
  });

  it("counts only what the connection has taken", async () => {
    await using server = await deaf();
    await using session = new ClientSession();
    let last = 0;
    await moveOnAfter(300, async () => {
      await session.put(server.url, {
        body: Buffer.alloc(64_000_000),
        onUploadProgress: (one) => (last = one.sentBytes),
      });
    });
    assert.ok(last > 0 && last < 32_000_000, `${last}`);
  });

  it("begins anew when the body is sent again", async () => {
    const seen: number[] = [];
    await send({ body: "text", onUploadProgress: ({ sentBytes }) => void seen.push(sentBytes) }, "/again");
    assert.deepEqual(seen, [4, 4]);
  });

  it("fails the request with what it throws", async () => {
    await using server = await echo();
    await using session = new ClientSession();
    const cause = new Error("from the callback");
    const onUploadProgress = (): void => {
      throw cause;
    };
    for (const body of ["text", chunks("a", "b")]) {
      await assert.rejects(session.put(server.url, { body, onUploadProgress }), {
        code: "MW_ERR_HTTP_REQUEST_BODY",
        message: /onUploadProgress failed/,
        cause,
      });
    }
    assert.equal(session.statistics().inUse, 0);
    await server.allClosed();
  });

  it("must be a function", async () => {
    await assert.rejects(send({ body: "x", onUploadProgress: 7 as never }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });
});

describe("compress", () => {
  const UNPACK = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync, zstd: zstdDecompressSync };
  const text = "all work and no play ".repeat(20_000);

  for (const coding of ["gzip", "deflate", "br", "zstd"] as const) {
    it(`packs with ${coding} whatever the body is`, async () => {
      await using file = await temporary(text);
      const bodies: ReadonlyArray<RequestOptions> = [
        { body: text },
        { body: Buffer.from(text) },
        { body: new Blob([text]) },
        { body: fileBody(file.path) },
        { body: chunks(text.slice(0, 10), text.slice(10)) },
      ];
      for (const options of bodies) {
        const { raw, headers } = await send({ ...options, compress: coding });
        assert.deepEqual([headers["content-encoding"], headers["transfer-encoding"]], [coding, "chunked"]);
        assert.ok(raw.length < 20_000);
        assert.equal(UNPACK[coding](Buffer.from(raw, "latin1")).toString(), text);
      }
    });
  }

  it("keeps the type of the body, and packs it anew for a redirect", async () => {
    const { raw, headers } = await send({ json: { a: 1 }, compress: "gzip" }, "/again");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(Buffer.from(raw, "latin1")).toString(), '{"a":1}');
  });

  it("packs an empty body", async () => {
    const { raw } = await send({ body: "", compress: "gzip" });
    assert.equal(gunzipSync(Buffer.from(raw, "latin1")).length, 0);
  });

  it("does not send what comes once a second time", async () => {
    await assert.rejects(send({ body: chunks("x"), compress: "gzip" }, "/again"), {
      code: "MW_ERR_HTTP_REDIRECT_REFUSED",
    });
  });

  it("passes on what the body throws, and fails for a missing file before anything is sent", async () => {
    const cause = new Error("from the body");
    const failing = async function* (): AsyncGenerator<string, void> {
      yield "a";
      throw cause;
    };
    await assert.rejects(send({ body: failing(), compress: "gzip" }), { code: "MW_ERR_HTTP_REQUEST_BODY", cause });
    const body = fileBody(join(tmpdir(), "there is no such file"));
    await assert.rejects(send({ body, compress: "gzip" }), { code: "MW_ERR_HTTP_REQUEST_BODY" });
  });

  it("is refused with another coding, with a header that says one, and without a body", async () => {
    const bad: ReadonlyArray<RequestOptions> = [
      { body: "x", compress: "lzma" as never },
      { body: "x", compress: "constructor" as never },
      { body: "x", compress: "gzip", headers: { "Content-Encoding": "br" } },
      { compress: "gzip" },
    ];
    for (const options of bad) {
      await assert.rejects(send(options), { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0 });
    }
  });

  it("takes no more from the body than the connection takes", async () => {
    await using server = await deaf();
    await using session = new ClientSession();
    let pulled = 0;
    const noise = async function* (): AsyncGenerator<Uint8Array, void> {
      for (; pulled < 1_000; pulled += 1) yield crypto.getRandomValues(new Uint8Array(65_536));
    };
    const answered = await moveOnAfter(500, () => session.put(server.url, { body: noise(), compress: "gzip" }));
    assert.equal(answered, undefined);
    assert.ok(pulled > 0 && pulled < 500, `${pulled}`);
    assert.equal(session.statistics().inUse, 0);
  });
});

describe("An upload", () => {
  it("whose body a middleware replaces is not packed as the one before was, and still counted", async () => {
    const seen: number[] = [];
    const { raw, headers } = await send({
      body: "before",
      compress: "gzip",
      onUploadProgress: ({ sentBytes }) => void seen.push(sentBytes),
      middlewares: [(request, next) => next(request.with({ body: "afterwards" }))],
    });
    assert.deepEqual([raw, headers["content-encoding"], headers["content-length"]], ["afterwards", undefined, "10"]);
    assert.deepEqual(seen, [10]);
  });

  it("over a kept connection that the server closed is sent again, if it can be made again", async () => {
    await using server = await serveRaw((socket, index) => {
      let heads = 0;
      onEachHead(socket, () => {
        heads += 1;
        if (index === 0 && heads === 2) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    await using session = new ClientSession({ baseUrl: server.url });
    await (await session.get("/")).text();
    assert.equal(await (await session.put("/", { body: new Blob(["again"]) })).text(), "ok");
    assert.equal(server.sockets.length, 2);
  });

  it("ends where the answer comes first", async () => {
    let pulled = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array, void> {
      for (;;) {
        pulled += 1;
        yield new Uint8Array(65_536);
      }
    };
    await using server = await serveRaw((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      });
    });
    await using session = new ClientSession();
    const response = await session.put(server.url, { body: endless() });
    assert.equal(response.status, 413);
    const [socket] = server.sockets;
    if (socket !== undefined && !socket.closed) await once(socket, "close");
    const before = pulled;
    await sleep(5);
    assert.equal(pulled, before);
  });
});
