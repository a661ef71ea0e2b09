import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import { ClientSession, HttpError, TooLargeError } from "@meanwhile/http";
import { sleep } from "meanwhile";

import { answering, onEachHead, serve, serveRaw } from "./servers.ts";

const LIMIT = 1_000;
const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`;

/** Answers with a body of the length in the path, framed as the first segment says. */
const framed = () =>
  serveRaw((socket) => {
    onEachHead(socket, (request) => {
      const [, framing, length] = /^GET \/(\w+)\/(\d+)/.exec(request) ?? [];
      const body = Buffer.alloc(Number(length), "x");
      const packed: Record<string, () => Buffer> = {
        gzip: () => gzipSync(body),
        deflate: () => deflateSync(body),
        br: () => brotliCompressSync(body),
        zstd: () => zstdCompressSync(body),
      };
      const pack = packed[framing ?? ""];
      if (framing === "length") socket.write(`${head(`Content-Length: ${length}`)}${body.toString()}`);
      else if (framing === "chunked") {
        socket.write(
          `${head("Transfer-Encoding: chunked")}${(body.length - 1).toString(16)}\r\n${body.subarray(1).toString()}\r\n1\r\nx\r\n0\r\n\r\n`,
        );
      } else if (framing === "close") socket.end(`${head("Connection: close")}${body.toString()}`);
      else if (pack !== undefined) {
        const bytes = pack();
        socket.write(head(`Content-Encoding: ${framing}\r\nContent-Length: ${bytes.length}`));
        socket.write(bytes);
      }
    });
  });

describe("maxBodyBytes (C6)", () => {
  for (const framing of ["length", "chunked", "close", "gzip", "deflate", "br", "zstd"]) {
    it(`counts to the byte: ${framing}`, async () => {
      await using server = await framed();
      await using session = new ClientSession({ baseUrl: server.url, maxBodyBytes: LIMIT });
      for (const length of [LIMIT - 1, LIMIT]) {
        assert.equal((await (await session.get(`/${framing}/${length}`)).text()).length, length);
        assert.equal((await (await session.get(`/${framing}/${length}`)).bytes()).length, length);
      }
      for (const read of ["text", "bytes", "json"] as const) {
        const response = await session.get(`/${framing}/${LIMIT + 1}`);
        await assert.rejects(response[read](), (error) => {
          assert.ok(error instanceof TooLargeError, String(error));
          assert.equal(error.code, "MW_ERR_HTTP_BODY_TOO_LARGE");
          return true;
        });
      }
      const response = await session.get(`/${framing}/${LIMIT + 1}`);
      await assert.rejects(async () => {
        for await (const chunk of response.stream()) assert.ok(chunk.length <= LIMIT);
      }, TooLargeError);
      assert.equal(session.statistics().inUse, 0);
      const raised = await session.get(`/${framing}/${LIMIT + 1}`, { maxBodyBytes: Infinity });
      assert.equal((await raised.text()).length, LIMIT + 1);
    });
  }

  it("hands over as one what came together, also if it was sent a byte at a time", async () => {
    const count = 200_000;
    const answer = `${head("Transfer-Encoding: chunked")}${"1\r\nx\r\n".repeat(count)}0\r\n\r\n`;
    await using server = await serveRaw(answering(answer));
    await using session = new ClientSession();
    let [pieces, bytes] = [0, 0];
    for await (const piece of (await session.get(server.url)).stream()) {
      pieces += 1;
      bytes += piece.length;
    }
    assert.equal(bytes, count);
    assert.ok(pieces < count / 100, `${pieces} pieces`);
    assert.equal(await (await session.get(server.url)).text(), "x".repeat(count));
  });

  it("refuses an announced length without reading, and does not mind one of HEAD", async () => {
    await using server = await serve((request, response) => {
      response.setHeader("content-length", LIMIT + 1);
      if (request.method === "HEAD") response.end();
      else response.write("x");
    });
    await using session = new ClientSession({ baseUrl: server.url, maxBodyBytes: LIMIT });
    await assert.rejects((await session.get("/")).text(), { code: "MW_ERR_HTTP_BODY_TOO_LARGE" });
    assert.equal(await (await session.head("/")).text(), "");
    await server.allClosed();
  });
});

describe("decompression (C5)", () => {
  const packers: Readonly<Record<string, (body: Buffer) => Buffer>> = {
    gzip: gzipSync,
    "x-gzip": gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
    identity: (body) => body,
  };
  const packing = () =>
    serve((request, response) => {
      const codings = decodeURIComponent(request.url ?? "")
        .slice(1)
        .split(",");
      response.setHeader("content-encoding", codings.join(", "));
      let body: Buffer = Buffer.from("hello ".repeat(5_000));
      for (const coding of codings) body = packers[coding]?.(body) ?? body;
      response.end(body);
    });

  it("undoes each coding and chains of them", async () => {
    await using server = await packing();
    await using session = new ClientSession({ baseUrl: server.url });
    for (const codings of [
      "gzip",
      "x-gzip",
      "deflate",
      "br",
      "zstd",
      "identity",
      "gzip,br",
      "deflate,gzip,zstd,br,identity,deflate",
    ]) {
      assert.equal((await (await session.get(`/${codings}`)).text()).length, 30_000, codings);
    }
  });

  it("takes the bare deflate format too", async () => {
    await using server = await serve((_request, response) => {
      response.setHeader("content-encoding", "deflate");
      response.end(deflateRawSync("bare"));
    });
    await using session = new ClientSession();
    assert.equal(await (await session.get(server.url)).text(), "bare");
  });

  it("gives what has come as soon as it has come", async () => {
    await using server = await serve(async (_request, response) => {
      const { createGzip } = await import("node:zlib");
      const gzip = createGzip();
      response.setHeader("content-encoding", "gzip");
      gzip.pipe(response);
      gzip.write("first");
      gzip.flush();
    });
    await using session = new ClientSession();
    await using response = await session.get(server.url);
    const { value } = await response.stream().next();
    assert.equal(Buffer.from(value ?? []).toString(), "first");
  });

  it("takes a body without a byte for an empty one", async () => {
    await using server = await serve((_request, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end();
    });
    await using session = new ClientSession();
    assert.equal(await (await session.get(server.url)).text(), "");
    assert.equal(await (await session.head(server.url)).text(), "");
  });

  it("refuses more than 5 codings, unknown ones, and bytes that are not what they are called", async () => {
    await using server = await serve((request, response) => {
      response.setHeader("content-encoding", decodeURIComponent(request.url ?? "").slice(1));
      response.end("plain bytes");
    });
    await using session = new ClientSession({ baseUrl: server.url });
    for (const codings of [
      Array(6).fill("gzip").join(","),
      Array(1_000).fill("br").join(","),
      "compress",
      "gzip",
      "br",
      "zstd",
      "deflate",
    ]) {
      await assert.rejects((await session.get(`/${encodeURIComponent(codings)}`)).text(), {
        code: "MW_ERR_HTTP_ENCODING",
      });
    }
    const raw = await session.get("/compress", { decompress: false });
    assert.equal(await raw.text(), "plain bytes");
    assert.equal(session.statistics().inUse, 0);
  });

  it("finds a truncated body out", async () => {
    await using server = await serve((_request, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync("hello ".repeat(1_000)).subarray(0, 40));
    });
    await using session = new ClientSession();
    await assert.rejects((await session.get(server.url)).text(), { code: "MW_ERR_HTTP_ENCODING" });
  });

  for (const [coding, bomb] of Object.entries({
    gzip: gzipSync(Buffer.alloc(30_000_000)),
    br: brotliCompressSync(Buffer.alloc(30_000_000)),
    zstd: zstdCompressSync(Buffer.alloc(30_000_000)),
    "gzip, gzip": gzipSync(gzipSync(Buffer.alloc(30_000_000))),
  })) {
    it(`stops a bomb long before it has unpacked: ${coding}`, async () => {
      await using server = await serve((_request, response) => {
        response.setHeader("content-encoding", coding);
        response.end(bomb);
      });
      await using session = new ClientSession();
      await assert.rejects((await session.get(server.url)).bytes(), {
        name: "TooLargeError",
        code: "MW_ERR_HTTP_DECOMPRESSION_BOMB",
      });
      let count = 0;
      await assert.rejects(async () => {
        for await (const chunk of (await session.get(server.url)).stream()) count += chunk.length;
      }, TooLargeError);
      assert.ok(count <= Math.max(1024 * 1024, 200 * bomb.length), `${count} bytes came out`);
    });
  }
});

describe("header limits (C7)", () => {
  const flood = (fields: string, trailer = "") =>
    `HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailer}\r\n`;
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: 1\r\n`).join("");

  it("count fields, trailers too", async () => {
    await using server = await serveRaw(
      answering(flood(lines(127)), flood(lines(128)), flood("", lines(128)), flood("", lines(129))),
    );
    await using session = new ClientSession();
    assert.equal(await (await session.get(server.url)).text(), "ok");
    await assert.rejects(session.get(server.url), { name: "TooLargeError", code: "MW_ERR_HTTP_HEADERS_TOO_LARGE" });
    await server.allClosed();
    // The raw server answers from the start on a new connection.
    await using trailing = await serveRaw(answering(flood("", lines(128)), flood("", lines(129))));
    assert.equal(await (await session.get(trailing.url)).text(), "ok");
    await assert.rejects(async () => (await session.get(trailing.url)).text(), {
      code: "MW_ERR_HTTP_HEADERS_TOO_LARGE",
    });
    assert.equal(session.statistics().inUse, 0);
  });

  it("count bytes, also of one long field and when they come one by one", async () => {
    const long = flood(`X-Long: ${"a".repeat(3_000)}\r\n`);
    await using server = await serveRaw((socket) => {
      socket.setNoDelay(true);
      onEachHead(socket, async (request) => {
        if (request.startsWith("GET /whole")) return socket.write(long);
        for (let index = 0; index < long.length && !socket.destroyed; index += 1) {
          socket.write(long[index] ?? "");
          if (index % 50 === 0) await sleep(0);
        }
        return undefined;
      });
    });
    await using session = new ClientSession({ baseUrl: server.url, maxHeaderBytes: 2_000 });
    await using roomy = new ClientSession({ baseUrl: server.url });
    for (const url of ["/whole", "/bytes"]) {
      await assert.rejects(session.get(url), { code: "MW_ERR_HTTP_HEADERS_TOO_LARGE" });
      assert.equal(await (await roomy.get(url)).text(), "ok");
    }
    await session.close();
  });

  it("end a server that only ever informs", async () => {
    await using server = await serveRaw(answering("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(20)));
    await using polite = await serveRaw(
      answering(`${"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(2)}${flood("")}`),
    );
    await using session = new ClientSession();
    await assert.rejects(session.get(server.url), { code: "MW_ERR_HTTP_HEADERS_TOO_LARGE" });
    assert.equal(await (await session.get(polite.url)).text(), "ok");
  });
});

describe("a body that is not what was announced (C6)", () => {
  it("is incomplete when it is too short, whatever delimits it", async () => {
    const answers = [
      `${head("Content-Length: 10")}short`,
      `${head("Content-Length: 10\r\nConnection: close")}short`,
      `${head("Transfer-Encoding: chunked")}a\r\nshort`,
      `${head("Transfer-Encoding: chunked\r\nConnection: close")}a\r\nshort`,
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Le",
    ];
    for (const answer of answers) {
      await using server = await serveRaw((socket) => onEachHead(socket, () => socket.end(answer)));
      await using session = new ClientSession();
      await assert.rejects(
        async () => (await session.get(server.url)).text(),
        { code: "MW_ERR_HTTP_INCOMPLETE" },
        answer,
      );
      assert.equal(session.statistics().inUse, 0);
      assert.equal(session.statistics().idle, 0);
    }
  });

  it("is incomplete when a reset ends what only the end of the connection delimits", async () => {
    await using server = await serveRaw((socket) => {
      onEachHead(socket, async () => {
        socket.write(`${head("Connection: close")}part`);
        await sleep(3);
        socket.resetAndDestroy();
      });
    });
    await using session = new ClientSession();
    await assert.rejects(async () => (await session.get(server.url)).text(), { code: "MW_ERR_HTTP_INCOMPLETE" });
  });

  it("still yields to a stream what had come", async () => {
    await using server = await serveRaw((socket) =>
      onEachHead(socket, () => socket.end(`${head("Content-Length: 10")}short`)),
    );
    await using session = new ClientSession();
    let got = "";
    await assert.rejects(
      async () => {
        for await (const chunk of (await session.get(server.url)).stream()) got += Buffer.from(chunk).toString();
      },
      (error) => error instanceof HttpError && error.code === "MW_ERR_HTTP_INCOMPLETE",
    );
    assert.equal(got, "short");
  });
});
