// Answers whatever a session is used for.

import { gzipSync } from "node:zlib";

import type { Handler } from "./servers.ts";

/** What is downloaded. */
export const FILE: Buffer = Buffer.alloc(60_000, "0123456789");
const PACKED = gzipSync(Buffer.alloc(100_000, "packed "));

/** A server for all use cases. The first part of the path is that of a run, the second says what happens. */
export function answers(): Handler {
  const counts = new Map<string, number>();
  return (request, response, body) => {
    const { url = "", headers } = request;
    const count = (counts.get(url) ?? 0) + 1;
    counts.set(url, count);
    const kind = url.split("/")[2] ?? "";
    if (kind === "flaky" && count === 1) return response.writeHead(503).end("not yet");
    if (kind === "broken" && count === 1) return response.destroy();
    if (kind === "moved") {
      const location = url.replace("moved", "echo");
      return response.writeHead(302, { location, "set-cookie": "first=1; Path=/" }).end();
    }
    if (kind === "guarded" && headers.authorization === undefined) {
      return response.writeHead(401, { "www-authenticate": 'Digest realm="r", nonce="n", qop="auth"' }).end();
    }
    if (kind === "cached") response.writeHead(200, { "cache-control": "max-age=60", etag: '"1"' });
    if (kind === "packed") return response.writeHead(200, { "content-encoding": "gzip" }).end(PACKED);
    if (kind === "lines") return response.end("one\ntwo\nthree\n");
    if (kind === "events") {
      return response.writeHead(200, { "content-type": "text/event-stream" }).end(`id: ${count}\ndata: x\n\n`);
    }
    if (kind === "file") return sendFile(headers.range, count, response);
    return response.end(`${headers.cookie ?? "-"} ${body.length}`);
  };
}

/** Breaks off in the middle of the first answer. */
function sendFile(range: string | undefined, count: number, response: Parameters<Handler>[1]): void {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200, {
    etag: '"1"',
    "content-length": FILE.length - start,
    ...(start > 0 ? { "content-range": `bytes ${start}-${FILE.length - 1}/${FILE.length}` } : {}),
  });
  if (count > 1) response.end(FILE.subarray(start));
  else response.write(FILE.subarray(0, 30_000), () => setImmediate(() => response.destroy()));
}
