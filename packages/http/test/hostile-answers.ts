// What a malformed or hostile server says, byte for byte, and how a request to it has to end.

import type { Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import { chunks, codings, lengths, trailer, trailers } from "./hostile-framing.ts";
import { heads, statusLines, unframed } from "./hostile-heads.ts";
import {
  CHUNKED,
  END,
  endless,
  HARMLESS,
  head,
  type Hostile,
  LARGE,
  OK,
  RESET,
  row,
  SLOW,
  WHOLE,
} from "./hostile-rows.ts";

const drip =
  (text: string): ((socket: Socket) => Promise<void>) =>
  async (socket) => {
    for (const byte of text) {
      if (socket.destroyed || !socket.writable) return;
      socket.write(byte);
      await new Promise((go) => setTimeout(go, 3));
    }
  };
const stages: ReadonlyArray<Hostile> = [
  row("nothing, closed", "", "RESET", END),
  row("nothing, reset", "", "RESET", RESET),
  row("nothing, silence", "", "IDLE_TIMEOUT", SLOW),
  ...[
    "H",
    "HTTP/1.1",
    "HTTP/1.1 200",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nConte",
    "HTTP/1.1 200 OK\r\nA: b\r\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n\r",
  ].flatMap((text) => [
    row(`cut off behind ${JSON.stringify(text)}, closed`, text, "INCOMPLETE", END),
    row(`cut off behind ${JSON.stringify(text)}, reset`, text, ["INCOMPLETE", "RESET"], RESET),
    row(`cut off behind ${JSON.stringify(text)}, silence`, text, "IDLE_TIMEOUT", SLOW),
  ]),
  row("a head a byte at a time, for ever", drip(`HTTP/1.1 200 OK\r\nX: ${"a".repeat(90)}`), "IDLE_TIMEOUT", {
    ...SLOW,
    ...LARGE,
  }),
  row("a body that only the end delimits, reset", `${head("Connection: close")}part`, ["INCOMPLETE", "RESET"], RESET),
];

const informed = (count: number): string => "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(count);
const statuses: ReadonlyArray<Hostile> = [
  row(
    "a 101 that nobody asked for",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "PROTOCOL",
  ),
  row("a 101 without Upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ["PROTOCOL", "INCOMPLETE"]),
  row("a 100 that nobody asked for", `HTTP/1.1 100 Continue\r\n\r\n${head(OK)}ok`, ["PROTOCOL", "200 ok"]),
  row("a 103 with a body", `HTTP/1.1 103 Early Hints\r\nContent-Length: 6\r\n\r\npoison${head(OK)}ok`, "PROTOCOL"),
  row("17 informational answers", informed(17) + head(OK), "HEADERS_TOO_LARGE"),
  row("informational answers without end", endless("", informed(1)), "HEADERS_TOO_LARGE", LARGE),
  row("a 204 with a body", `HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison`, ["204 ", "PROTOCOL"]),
  row("a 204 with chunks", `HTTP/1.1 204 No Content\r\n${CHUNKED}\r\n\r\n6\r\npoison\r\n0\r\n\r\n`, [
    "204 ",
    "PROTOCOL",
  ]),
  row("a 304 with a body", `HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison`, "304 "),
  row("a 205 with a body", `HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nok`, "205 ok", HARMLESS),
  row("a body for HEAD", `${head("Content-Length: 6")}poison`, "200 ", { method: "HEAD" }),
  row("chunks for HEAD", `${head(CHUNKED)}6\r\npoison\r\n0\r\n\r\n`, "200 ", { method: "HEAD" }),
  row("a second answer", `${head(OK)}ok${head("Content-Length: 6")}poison`, "200 ok"),
  row("a hundred answers", `${head(OK)}ok`.repeat(100), "200 ok"),
  row("a second answer behind chunks", `${trailer("")}${head("Content-Length: 6")}poison`, "200 ok"),
  row("garbage behind the answer", `${head(OK)}ok\0\0\0`, "200 ok"),
  row("a status 999", `HTTP/1.1 999 What\r\n${OK}\r\n\r\nok`, "999 ok", HARMLESS),
  row("an answer before the body was sent", `HTTP/1.1 413 Too Large\r\n${OK}\r\n\r\nno`, "413 no", {
    method: "POST",
    body: "large",
    ...HARMLESS,
  }),
  row("a status 000", `HTTP/1.1 000 Zero\r\n${OK}\r\n\r\nok`, ["PROTOCOL", "INCOMPLETE"]),
  row("a status 099", `HTTP/1.1 099 Low\r\n${OK}\r\n\r\nok`, ["PROTOCOL", "INCOMPLETE"]),
];

const packed = (coding: string, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(head(`Content-Encoding: ${coding}`, `Content-Length: ${body.length}`)), body]);
// Their framing is right: once all of it has come, what is in it says nothing about the next answer.
const zeros = Buffer.alloc(8_000_000);
const nested = gzipSync(gzipSync(zeros));
const bodies: ReadonlyArray<Hostile> = [
  row("a gzip bomb", packed("gzip", gzipSync(zeros)), "DECOMPRESSION_BOMB", WHOLE),
  row("a deflate bomb", packed("deflate", deflateSync(zeros)), "DECOMPRESSION_BOMB", WHOLE),
  row("a br bomb", packed("br", brotliCompressSync(zeros)), "DECOMPRESSION_BOMB", WHOLE),
  row("a zstd bomb", packed("zstd", zstdCompressSync(zeros)), "DECOMPRESSION_BOMB", WHOLE),
  row("a nested bomb", packed("gzip, gzip", nested), "DECOMPRESSION_BOMB", WHOLE),
  row("6 codings", packed("gzip, gzip, gzip, gzip, gzip, gzip", gzipSync("x")), "ENCODING", HARMLESS),
  row("1 000 codings", packed(Array(1_000).fill("br").join(","), Buffer.from("x")), "ENCODING", WHOLE),
  row("a coding nobody knows", packed("compress", Buffer.from("x")), "ENCODING", HARMLESS),
  row("a coding named __proto__", packed("__proto__", Buffer.from("x")), "ENCODING", HARMLESS),
  ...["gzip", "deflate", "br", "zstd"].flatMap((coding) => [
    row(
      `${coding} that is plain`,
      packed(coding, Buffer.from("\u00ffplain text, and no coding at all")),
      "ENCODING",
      HARMLESS,
    ),
  ]),
  row("gzip cut off", packed("gzip", gzipSync("hello ".repeat(500)).subarray(0, 30)), "ENCODING", HARMLESS),
  row("deflate cut off", packed("deflate", deflateSync("hello ".repeat(500)).subarray(0, 20)), "ENCODING", HARMLESS),
  row("br cut off", packed("br", brotliCompressSync("hello ".repeat(500)).subarray(0, 10)), "ENCODING", HARMLESS),
  row("zstd cut off", packed("zstd", zstdCompressSync("hello ".repeat(500)).subarray(0, 15)), "ENCODING", HARMLESS),
  row("gzip with a wrong checksum", packed("gzip", flipped(gzipSync("hello"), -6)), "ENCODING", HARMLESS),
  row("gzip with a wrong length", packed("gzip", flipped(gzipSync("hello"), -2)), "ENCODING", HARMLESS),
  row(
    "gzip with garbage in the middle",
    packed("gzip", flipped(gzipSync("hello ".repeat(500)), 14)),
    "ENCODING",
    HARMLESS,
  ),
  row("gzip called br", packed("br", gzipSync("hello")), "ENCODING", HARMLESS),
  row("gzip called zstd", packed("zstd", gzipSync("hello")), "ENCODING", HARMLESS),
  row(
    "empty gzip blocks without end",
    endless(head("Content-Encoding: gzip", "Connection: close"), gzipSync("").toString("latin1")),
    ["BODY_TOO_LARGE", "ENCODING"],
    LARGE,
  ),
];

const redirect = (location: string, status = 302): string =>
  `HTTP/1.1 ${status} Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
const REFUSED = "REDIRECT_REFUSED";
const redirects: ReadonlyArray<Hostile> = [
  ...[
    "file:///etc/passwd",
    "data:text/html,x",
    "javascript:alert(1)",
    "unix:/run/x.sock",
    "ftp://h/",
    "ws://h/",
    "gopher://h/",
    "blob:http://h/x",
    "about:blank",
    "http+unix://%2frun/x",
    "mailto:a@b",
    "http://",
    "http://[::1",
    "http://h:99999/",
    "//",
    "http://a b/",
    "http://%00/",
    "http://h:port/",
  ].map((location) => row(`a redirect to ${location}`, redirect(location), REFUSED, HARMLESS)),
  row("a redirect with a tab in it", redirect("/a\tb"), REFUSED, HARMLESS),
  row("a redirect with a NUL in it", redirect("/a\0b"), "PROTOCOL"),
  row("a redirect with a bare CR in it", redirect("/a\rX: 1"), "PROTOCOL"),
  row(
    "two different redirects",
    "HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
    REFUSED,
    HARMLESS,
  ),
  row("a redirect to itself", (socket, text) => socket.write(redirect(pathOf(text))), "REDIRECT_LOOP", HARMLESS),
  row(
    "a redirect to itself with a fragment",
    (socket, text) => socket.write(redirect(`${pathOf(text)}#again`)),
    "REDIRECT_LOOP",
    HARMLESS,
  ),
  row(
    "a chain without end",
    (socket, text) => socket.write(redirect(`${pathOf(text)}x`)),
    "TOO_MANY_REDIRECTS",
    HARMLESS,
  ),
  row("a redirect to a URL of 16 000 bytes", redirect(`http://h:99999/${"a".repeat(16_000)}`), REFUSED, {
    ...LARGE,
    ...HARMLESS,
  }),
  row("a redirect that is larger than a head may be", redirect(`/${"a".repeat(20_000)}`), "HEADERS_TOO_LARGE", LARGE),
  row("an empty redirect", (socket) => socket.write(redirect("")), "REDIRECT_LOOP", HARMLESS),
];

function pathOf(text: string): string {
  return text.split(" ", 2)[1] ?? "/";
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}

/** All of them, by what they are about. */
export const HOSTILE: Readonly<Record<string, ReadonlyArray<Hostile>>> = {
  "that does not speak HTTP": statusLines,
  "that has no end": unframed,
  "with a bad head": heads,
  "that lies about the length": lengths,
  "with a bad Transfer-Encoding": codings,
  "with bad chunks": chunks,
  "with a bad trailer": trailers,
  "that stops at some point": stages,
  "with a status that does not fit": statuses,
  "with a bad Content-Encoding": bodies,
  "that redirects to where it must not": redirects,
};
