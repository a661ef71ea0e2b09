import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { ClientSession, type LinesOptions, TooLargeError } from "@meanwhile/http";
import { cancelScope, isCancelled } from "meanwhile";

import { serve } from "./servers.ts";

/** Answers with the pieces, each in a segment of its own where `split` says so. */
const answeringWith = (pieces: ReadonlyArray<string | Buffer>, headers: Readonly<Record<string, string>> = {}) =>
  serve(async (_request, response) => {
    response.writeHead(200, headers);
    for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
    response.end();
  });

async function linesOf(
  pieces: ReadonlyArray<string | Buffer>,
  options?: LinesOptions,
  headers?: Readonly<Record<string, string>>,
): Promise<string[]> {
  await using server = await answeringWith(pieces, headers);
  await using session = new ClientSession();
  const lines = await Array.fromAsync((await session.get(server.url)).lines(options));
  assert.equal(session.statistics().inUse, 0);
  return lines;
}

const bytewise = (text: string | Buffer): Buffer[] => [...Buffer.from(text)].map((byte) => Buffer.from([byte]));

describe("response.lines()", () => {
  it("ends a line at LF and at CRLF, and needs no end for the last", async () => {
    assert.deepEqual(await linesOf(["a\nb\r\n\nc\rd\r\n\r\nend"]), ["a", "b", "", "c\rd", "", "end"]);
    assert.deepEqual(await linesOf(["a\n"]), ["a"]);
    assert.deepEqual(await linesOf(["\n"]), [""]);
    assert.deepEqual(await linesOf([]), []);
  });

  it("keeps the ends if it is told to", async () => {
    assert.deepEqual(await linesOf(["a\nb\r\n\nend"], { keepEnds: true }), ["a\n", "b\r\n", "\n", "end"]);
  });

  it("does not mind where the body is cut", async () => {
    const text = "grüße\r\nzweite 😀 Zeile\n\nlast";
    assert.deepEqual(await linesOf(bytewise(text)), ["grüße", "zweite 😀 Zeile", "", "last"]);
  });

  it("decodes by the byte order mark, the charset of the Content-Type, or UTF-8", async () => {
    const type = (charset: string) => ({ "content-type": `text/plain; charset="${charset}"` });
    const utf16 = Buffer.from("\ufeffä\nb", "utf16le");
    assert.deepEqual(await linesOf(bytewise("\ufeffa\n\ufeffb")), ["a", "\ufeffb"]);
    assert.deepEqual(await linesOf(["\ufeff"]), []);
    assert.deepEqual(await linesOf([Buffer.from("\u00e4\nb", "latin1")], {}, type("ISO-8859-1")), ["ä", "b"]);
    assert.deepEqual(await linesOf(bytewise(utf16)), ["ä", "b"]);
    assert.deepEqual(await linesOf(bytewise(utf16), {}, type("iso-8859-1")), ["ä", "b"]);
    assert.deepEqual(await linesOf(["\u00e4\nb"], {}, type("nonsense")), ["ä", "b"]);
    assert.deepEqual(await linesOf([Buffer.from([0x61, 0xff, 0x0a])]), ["a\ufffd"]);
  });

  it("counts a line to the byte, however it comes, and gives those before the one that is too long", async () => {
    const fits = `${"ä".repeat(4)}x\n`; // 10 bytes
    const options = { maxLineBytes: 10 };
    for (const cut of [(text: string) => [text], bytewise]) {
      assert.deepEqual(await linesOf(cut(`${fits}${fits}`), options), ["ääääx", "ääääx"]);
      assert.deepEqual(await linesOf(cut("0123456789"), options), ["0123456789"]);
      for (const long of ["0123456789\n", "0123456789a", "01234567890123456789012345\nshort\n", "012345678\r\n"]) {
        await using server = await answeringWith(cut(`a\nb\n${long}`));
        await using session = new ClientSession();
        const seen: string[] = [];
        await assert.rejects(
          async () => {
            for await (const line of (await session.get(server.url)).lines(options)) seen.push(line);
          },
          (error) => error instanceof TooLargeError && error.code === "MW_ERR_HTTP_LINE_TOO_LONG",
        );
        assert.deepEqual(seen, ["a", "b"]);
        assert.equal(session.statistics().inUse, 0);
      }
    }
  });

  it("holds no endless line", async () => {
    await using server = await serve(async (_request, response) => {
      const piece = Buffer.alloc(64 * 1024, "x");
      while (!response.destroyed) if (!response.write(piece)) await once(response, "drain").catch(() => {});
    });
    await using session = new ClientSession({ maxBodyBytes: Infinity });
    const reading = (await session.get(server.url)).lines({ maxLineBytes: 1024 * 1024 }).next();
    await assert.rejects(reading, { code: "MW_ERR_HTTP_LINE_TOO_LONG" });
    await server.allClosed();
  });

  it("splits what was unpacked, and counts it against maxBodyBytes", async () => {
    const body = gzipSync("one line\n".repeat(20_000));
    await using server = await serve((_request, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(body);
    });
    await using session = new ClientSession();
    let count = 0;
    for await (const line of (await session.get(server.url)).lines()) {
      assert.equal(line, "one line");
      count += 1;
    }
    assert.equal(count, 20_000);
    const small = await session.get(server.url, { maxBodyBytes: 100_000 });
    await assert.rejects(Array.fromAsync(small.lines()), { code: "MW_ERR_HTTP_BODY_TOO_LARGE" });
  });

  it("closes the connection when the loop is left, and when the scope is cancelled", async () => {
    await using server = await serve((_request, response) => response.write("one\ntwo\n"));
    await using session = new ClientSession();
    for await (const line of (await session.get(server.url)).lines()) {
      assert.equal(line, "one");
      break;
    }
    assert.equal(session.statistics().inUse, 0);
    await cancelScope(async (scope) => {
      const lines = (await session.get(server.url)).lines();
      assert.deepEqual(await lines.next(), { done: false, value: "one" });
      scope.cancel();
      await assert.rejects(lines.next(), isCancelled);
    });
    assert.equal(session.statistics().inUse, 0);
    await server.allClosed();
  });

  it("refuses to read twice at once", async () => {
    await using server = await serve((_request, response) => response.write("one\n"));
    await using session = new ClientSession();
    const pieces = (await session.get(server.url)).stream();
    assert.equal((await pieces.next()).value?.toString(), "one\n");
    const waiting = pieces.next();
    await assert.rejects(pieces.next(), { code: "MW_ERR_HTTP_BODY_USED", message: /under way/ });
    await pieces.return?.();
    await assert.rejects(waiting, { code: "MW_ERR_HTTP_BODY_USED", message: /closed/ });
    const lines = (await session.get(server.url)).lines();
    await assert.rejects(Promise.all([lines.next(), lines.next()]), { message: /under way/ });
    assert.equal(session.statistics().inUse, 0);
  });

  it("refuses bad options, and a body that was read", async () => {
    await using server = await serve((_request, response) => response.end("a"));
    await using session = new ClientSession();
    await using response = await session.get(server.url);
    for (const bad of [{ maxLineBytes: 0 }, { maxLineBytes: 1.5 }, { keepEnds: 1 }, null]) {
      assert.throws(() => response.lines(bad as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    assert.equal(await response.text(), "a");
    assert.throws(() => response.lines(), { code: "MW_ERR_HTTP_BODY_USED" });
  });
});
