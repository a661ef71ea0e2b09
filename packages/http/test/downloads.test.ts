import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, link, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { ClientSession, download, type DownloadOptions, type TransferProgress } from "@meanwhile/http";
import { cancelScope, fixed, isCancelled } from "meanwhile";

import { serveAtOnce, type TestServer } from "./servers.ts";

const FILE = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251));
const OTHER = Buffer.from(FILE.toReversed());
const HALF = 150_000;
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  /** What is in the directory, sorted. */
  files(): Promise<string[]>;
}

async function place(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), "downloads-"));
  return {
    directory,
    path: join(directory, "file.bin"),
    files: async () => (await readdir(directory)).toSorted(),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Answers each request with the next of the handlers, the last of which stays; remembers the ranges. */
async function inTurn(
  ...handlers: ReadonlyArray<Handler>
): Promise<TestServer & { ranges: Array<string | undefined> }> {
  const ranges: Array<string | undefined> = [];
  const server = await serveAtOnce((request, response) => {
    const { range } = request.headers;
    ranges.push(range === undefined ? undefined : `${range} if ${String(request.headers["if-range"])}`);
    return (handlers[ranges.length - 1] ?? handlers.at(-1))?.(request, response);
  });
  return Object.assign(server, { ranges });
}

interface Version {
  readonly body?: Buffer;
  readonly etag?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const head = (response: ServerResponse, { body = FILE, etag = '"v1"', headers = {} }: Version): void => {
  response.setHeaders(new Map(Object.entries({ "content-length": String(body.length), ...headers })));
  if (etag !== "") response.setHeader("etag", etag);
};

/** Sends one half and breaks the connection. */
const half =
  (version: Version = {}): Handler =>
  (_request, response) => {
    head(response, version);
    response.write((version.body ?? FILE).subarray(0, HALF), () => setImmediate(() => response.destroy()));
  };

/** Sends all, or the rest if it is asked for and is still the same, as servers do. */
const honest =
  (version: Version = {}): Handler =>
  (request, response) => {
    const { body = FILE, etag = '"v1"' } = version;
    head(response, version);
    const [, first] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    const validator = request.headers["if-range"];
    if (first === undefined || (validator !== etag && validator !== response.getHeader("last-modified"))) {
      return response.end(body);
    }
    if (Number(first) >= body.length) {
      return response.writeHead(416, { "content-range": `bytes */${body.length}`, "content-length": "0" }).end();
    }
    response.setHeader("content-length", body.length - Number(first));
    response.setHeader("content-range", `bytes ${first}-${body.length - 1}/${body.length}`);
    return response.writeHead(206).end(body.subarray(Number(first)));
  };

const PARTS = ["file.bin.part", "file.bin.part.json"];

describe("response.saveTo()", () => {
  it("saves the body, with its progress, and leaves nothing else", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession();
    const told: TransferProgress[] = [];
    const saved = await (
      await session.get(server.url)
    ).saveTo(here.path, { onProgress: (progress) => told.push(progress), checksum: { sha256: sha256(FILE) } });
    assert.deepEqual(saved, { path: here.path, bytes: FILE.length, resumedFrom: 0, etag: '"v1"' });
    assert.deepEqual(await readFile(here.path), FILE);
    assert.deepEqual(await here.files(), ["file.bin"]);
    assert.deepEqual(told.at(-1), { receivedBytes: FILE.length, totalBytes: FILE.length, resumedFrom: 0 });
    assert.ok(told.length <= 10, `${told.length} calls`);
    assert.equal(session.statistics().inUse, 0);
  });

  it("replaces nothing unless it is told to", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession();
    const target = join(here.directory, "target");
    await writeFile(target, "mine");
    await writeFile(here.path, "old");
    await symlink(target, join(here.directory, "link"));
    await symlink(join(here.directory, "nowhere"), join(here.directory, "dangling"));
    for (const name of ["file.bin", "link", "dangling"]) {
      const saving = (await session.get(server.url)).saveTo(join(here.directory, name));
      await assert.rejects(saving, { code: "MW_ERR_HTTP_FILE_EXISTS" });
    }
    await (await session.get(server.url)).saveTo(here.path, { overwrite: true, fsync: false });
    assert.deepEqual(await readFile(here.path), FILE);
    assert.equal(await readFile(target, "utf8"), "mine");
    assert.deepEqual(await here.files(), ["dangling", "file.bin", "link", "target"]);
    assert.equal(session.statistics().inUse, 0);
  });

  it("replaces nothing but a regular file, also when it is told to overwrite", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession();
    const pipe = join(here.directory, "pipe");
    const pointer = join(here.directory, "link");
    execFileSync("mkfifo", [pipe]);
    await symlink(here.path, pointer);
    for (const path of [pipe, pointer]) {
      const refused = { code: "MW_ERR_HTTP_FILE", message: /what is there is (not a regular file|a symbolic link)/ };
      await assert.rejects((await session.get(server.url)).saveTo(path, { overwrite: true }), refused);
      await assert.rejects(download(session, server.url, path, { overwrite: true }), refused);
    }
    assert.deepEqual([(await lstat(pipe)).isFIFO(), (await lstat(pointer)).isSymbolicLink()], [true, true]);
    assert.deepEqual(await here.files(), ["link", "pipe"]);
    assert.equal(session.statistics().inUse, 0);
  });

  it("replaces no pipe that was put there while it was loading", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession();
    const onProgress = ({ receivedBytes, totalBytes }: TransferProgress): void => {
      if (receivedBytes === totalBytes) execFileSync("mkfifo", [here.path]);
    };
    const saving = (await session.get(server.url)).saveTo(here.path, { overwrite: true, onProgress });
    await assert.rejects(saving, { code: "MW_ERR_HTTP_FILE" });
    assert.deepEqual(await here.files(), ["file.bin"]);
  });

  it("leaves nothing when the body breaks off, is too large or another one, or the scope is cancelled", async () => {
    await using here = await place();
    await using server = await inTurn(half(), honest(), honest(), half());
    await using session = new ClientSession();
    const save = async (options = {}) => (await session.get(server.url)).saveTo(here.path, options);
    await assert.rejects(save(), { code: "MW_ERR_HTTP_INCOMPLETE" });
    await assert.rejects(save({ maxBytes: FILE.length - 1 }), { code: "MW_ERR_HTTP_BODY_TOO_LARGE" });
    await assert.rejects(save({ checksum: { sha512: "0".repeat(128) } }), { code: "MW_ERR_HTTP_CHECKSUM" });
    await cancelScope(async (scope) => {
      await assert.rejects(save({ onProgress: () => scope.cancel() }), isCancelled);
    });
    assert.deepEqual(await here.files(), []);
    assert.equal(session.statistics().inUse, 0);
  });

  it("says what the system refuses, and closes the connection", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession();
    await writeFile(join(here.directory, "file"), "");
    for (const name of ["missing/file.bin", "file/file.bin"]) {
      await assert.rejects(
        (await session.get(server.url)).saveTo(join(here.directory, name)),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, "MW_ERR_HTTP_FILE");
          assert.match(String((error.cause as { code?: string }).code), /ENOENT|ENOTDIR/);
          return true;
        },
      );
    }
    assert.equal(session.statistics().inUse, 0);
  });

  it("refuses bad options and keeps the body", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession();
    const response = await session.get(server.url);
    const bads = [
      { checksum: { sha256: "12" } },
      { checksum: {} },
      { checksum: { crc: "00" } },
      { fsync: 1 },
      { onProgress: 1 },
    ];
    for (const bad of [...bads, { checksum: { md5: "0".repeat(32), sha1: "0".repeat(40) } }, { maxBytes: -1 }, null]) {
      await assert.rejects(response.saveTo(here.path, bad as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    for (const path of ["", "a\0b", 1]) {
      await assert.rejects(response.saveTo(path as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    assert.equal((await response.bytes()).length, FILE.length);
  });

  it("can be returned out of the block of its response, and has room for a long name", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession();
    const path = join(here.directory, "n".repeat(250));
    const save = async () => {
      await using response = await session.get(server.url);
      return response.saveTo(path);
    };
    assert.equal((await save()).bytes, FILE.length);
    assert.deepEqual(await here.files(), ["n".repeat(250)]);
  });
});

describe("download()", () => {
  const fetchTo = async (here: Place, server: TestServer, options: DownloadOptions = {}) => {
    await using session = new ClientSession();
    try {
      return await download(session, `${server.url}/f?token=s3cr3t`, here.path, options);
    } finally {
      assert.equal(session.statistics().inUse, 0);
    }
  };

  it("fetches a file, beyond maxBodyBytes of the session", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await using session = new ClientSession({ maxBodyBytes: 10 });
    const saved = await download(session, server.url, here.path);
    assert.deepEqual(saved, { path: here.path, bytes: FILE.length, resumedFrom: 0, etag: '"v1"' });
    assert.deepEqual(await here.files(), ["file.bin"]);
  });

  it("goes on in the next run where the last one broke off", async () => {
    await using here = await place();
    await using server = await inTurn(half(), honest());
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
    assert.deepEqual(await here.files(), PARTS);
    const note = join(here.directory, "file.bin.part.json");
    if (process.platform !== "win32") assert.equal((await stat(note)).mode & 0o777, 0o600);
    assert.doesNotMatch(await readFile(note, "utf8"), /s3cr3t|127\.0/);
    const told: TransferProgress[] = [];
    const onProgress = (progress: TransferProgress) => told.push(progress);
    const saved = await fetchTo(here, server, { checksum: { sha256: sha256(FILE) }, onProgress });
    assert.deepEqual(saved, { path: here.path, bytes: FILE.length, resumedFrom: HALF, etag: '"v1"' });
    assert.deepEqual(server.ranges, [undefined, `bytes=${HALF}- if "v1"`]);
    assert.deepEqual(told.at(-1), { receivedBytes: FILE.length, totalBytes: FILE.length, resumedFrom: HALF });
    assert.ok(told.every(({ receivedBytes }) => receivedBytes > HALF));
    assert.deepEqual(await readFile(here.path), FILE);
    assert.deepEqual(await here.files(), ["file.bin"]);
  });

  it("goes on after its process was killed", async () => {
    await using here = await place();
    const stuck: Handler = (_request, response) => {
      head(response, {});
      response.write(FILE.subarray(0, HALF));
    };
    await using server = await inTurn(stuck, honest());
    const code = `import { ClientSession, download } from "@meanwhile/http";
      const onProgress = () => process.kill(process.pid, "SIGKILL");
      await download(new ClientSession(), "${server.url}/f?token=s3cr3t", ${JSON.stringify(here.path)}, { onProgress });`;
    const args = ["--conditions=@meanwhile/source", "--input-type=module", "--eval", code];
    const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: "inherit" });
    assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
    assert.deepEqual(await here.files(), PARTS);
    const { resumedFrom } = await fetchTo(here, server, { checksum: { sha256: sha256(FILE) } });
    assert.ok(resumedFrom > 0 && resumedFrom <= HALF, `${resumedFrom} bytes`);
    assert.deepEqual(await here.files(), ["file.bin"]);
  });

  it("goes on by a Last-Modified that is sure, and by no weak ETag", async () => {
    const sure = {
      etag: "",
      headers: { "last-modified": "Mon, 02 Nov 2026 10:00:00 GMT", date: "Mon, 02 Nov 2026 10:00:01 GMT" },
    };
    const unsure = { etag: "", headers: { ...sure.headers, date: "Mon, 02 Nov 2026 10:00:00 GMT" } };
    for (const [version, isResumed] of [
      [sure, true],
      [unsure, false],
      [{ etag: 'W/"v1"', headers: sure.headers }, false],
      [{ etag: "" }, false],
      [{ headers: { "accept-ranges": "none" } }, false],
    ] as const) {
      await using here = await place();
      await using server = await inTurn(half(version), honest(version));
      await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
      assert.deepEqual(await here.files(), isResumed ? PARTS : []);
      const { resumedFrom } = await fetchTo(here, server);
      assert.equal(resumedFrom, isResumed ? HALF : 0);
      assert.deepEqual(await readFile(here.path), FILE);
    }
  });

  it("tries again by itself as retry says, within its number of attempts", async () => {
    await using here = await place();
    const more: Handler = (request, response) => {
      const first = Number(/\d+/.exec(request.headers.range ?? "")?.[0]);
      const range = `bytes ${first}-${FILE.length - 1}/${FILE.length}`;
      response.writeHead(206, { "content-range": range, "content-length": FILE.length - first, etag: '"v1"' });
      response.write(FILE.subarray(first, first + 1_000), () => setImmediate(() => response.destroy()));
    };
    const busy: Handler = (_request, response) => response.writeHead(503).end();
    const retries: number[] = [];
    const retry = {
      attempts: 5,
      backoff: fixed(1),
      onRetry: ({ attempt }: { attempt: number }) => retries.push(attempt),
    };
    await using server = await inTurn(half(), busy, more, more, honest());
    const saved = await fetchTo(here, server, { retry });
    assert.deepEqual([saved.bytes, saved.resumedFrom], [FILE.length, 0]);
    assert.deepEqual(await readFile(here.path), FILE);
    assert.deepEqual(retries, [1, 1, 3, 4]);
    assert.equal(server.ranges.at(-1), `bytes=${HALF + 2_000}- if "v1"`);
    await using hopeless = await inTurn(half({ etag: "" }));
    await using elsewhere = await place();
    await assert.rejects(fetchTo(elsewhere, hopeless, { retry: { attempts: 2, backoff: fixed(1) } }), {
      code: "MW_ERR_HTTP_INCOMPLETE",
    });
    assert.equal(hopeless.ranges.length, 2);
    assert.deepEqual(await elsewhere.files(), []);
  });

  const rest = (first: number, last: number, total: number | string, version: Version = {}): Handler => {
    const { body = FILE, etag = '"v1"', headers = {} } = version;
    const fields = { "content-range": `bytes ${first}-${last}/${total}`, etag, ...headers };
    return (_request, response) => response.writeHead(206, fields).end(body.subarray(first, last + 1));
  };
  const end = FILE.length - 1;
  const liars: Readonly<Record<string, Handler>> = {
    "200 with another version": honest({ body: OTHER, etag: '"v2"' }),
    "206 of another version": rest(HALF, end, FILE.length, { body: OTHER, etag: '"v2"' }),
    "206 of a version it does not name": (_request, response) =>
      response.writeHead(206, { "content-range": `bytes ${HALF}-${end}/${FILE.length}` }).end(OTHER.subarray(HALF)),
    "206 of a weak version": rest(HALF, end, FILE.length, { body: OTHER, etag: 'W/"v1"' }),
    "206 of another range": rest(HALF - 1, end, FILE.length),
    "206 from the start": rest(0, end, FILE.length),
    "206 of less than the rest": rest(HALF, end - 1, FILE.length),
    "206 of a file of another size": rest(HALF, end - 1, FILE.length - 1),
    "206 that is compressed": rest(HALF, end, FILE.length, { headers: { "content-encoding": "gzip" } }),
    "206 without Content-Range": (_request, response) =>
      response.writeHead(206, { etag: '"v1"' }).end(OTHER.subarray(HALF)),
    "206 in several parts": (_request, response) =>
      response.writeHead(206, { "content-type": "multipart/byteranges; boundary=x" }).end("--x--"),
    "206 with a Content-Range that is none": (_request, response) =>
      response.writeHead(206, { "content-range": `bytes ${HALF}-${HALF - 5}/x`, etag: '"v1"' }).end(),
    "416 of another size": (_request, response) => response.writeHead(416, { "content-range": "bytes */10" }).end(),
    "416 without a size": (_request, response) => response.writeHead(416).end(),
  };
  for (const [lie, liar] of Object.entries(liars)) {
    it(`begins anew at ${lie}`, async () => {
      await using here = await place();
      const whole = honest({ body: OTHER, etag: '"v2"' });
      await using server = await inTurn(half(), liar, whole);
      await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
      const saved = await fetchTo(here, server);
      assert.deepEqual([saved.bytes, saved.resumedFrom, saved.etag], [FILE.length, 0, '"v2"']);
      assert.deepEqual(await readFile(here.path), OTHER);
      assert.deepEqual(await here.files(), ["file.bin"]);
    });
  }

  it("finds at 416 that the file is complete", async () => {
    await using here = await place();
    const all: Handler = (_request, response) => {
      response.writeHead(200, { etag: '"v1"' }).write(FILE, () => setImmediate(() => response.destroy()));
    };
    await using server = await inTurn(all, honest());
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
    const saved = await fetchTo(here, server, { checksum: { md5: createHash("md5").update(FILE).digest("hex") } });
    assert.deepEqual([saved.bytes, saved.resumedFrom], [FILE.length, FILE.length]);
    assert.deepEqual(await readFile(here.path), FILE);
    assert.deepEqual(server.ranges, [undefined, `bytes=${FILE.length}- if "v1"`]);
  });

  it("does not go on with the file of another URL, be it of another base or other params", async () => {
    for (const [baseUrl, url, params] of [
      ["/", "/other", undefined],
      ["/", "/f", { token: "other" }],
      ["/sub/", "f?token=s3cr3t", undefined],
    ] as const) {
      await using here = await place();
      await using server = await inTurn(half(), honest());
      await using session = new ClientSession({ baseUrl: `${server.url}${baseUrl}` });
      await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
      assert.equal((await download(session, url, here.path, { params })).resumedFrom, 0);
      assert.deepEqual(await readFile(here.path), FILE);
      assert.deepEqual(server.ranges, [undefined, `bytes=${HALF}- if "v1"`, undefined]);
    }
  });

  it("does not go on with a part that is longer than the file", async () => {
    await using here = await place();
    await using server = await inTurn(half(), honest());
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
    await writeFile(join(here.directory, "file.bin.part"), Buffer.concat([FILE, FILE]));
    assert.equal((await fetchTo(here, server)).resumedFrom, 0);
    assert.deepEqual(await readFile(here.path), FILE);
    assert.deepEqual(server.ranges, [undefined, undefined]);
  });

  it("touches no part that is not its own, and follows no link planted in its place", async () => {
    await using here = await place();
    await using server = await inTurn(honest(), half(), honest(), half(), honest());
    const [part, victim] = [`${here.path}.part`, join(here.directory, "victim")];
    await writeFile(victim, "precious");
    await symlink(victim, part);
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_FILE_EXISTS" });
    await rm(part);
    for (const plant of [symlink, link]) {
      await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
      await rm(part);
      await plant(victim, part);
      assert.equal((await fetchTo(here, server)).resumedFrom, 0);
      assert.deepEqual(await readFile(here.path), FILE);
      assert.equal(await readFile(victim, "utf8"), "precious");
      await rm(here.path);
    }
    assert.deepEqual(await here.files(), ["victim"]);
  });

  it("never makes one file of two downloads to the same place at once", async () => {
    await using here = await place();
    await using server = await inTurn(honest(), honest({ body: OTHER, etag: '"v2"' }));
    const outcomes = await Promise.allSettled([fetchTo(here, server), fetchTo(here, server)]);
    const saved = outcomes.filter((outcome) => outcome.status === "fulfilled");
    assert.equal(saved.length, 1);
    assert.deepEqual(await readFile(here.path), saved[0]?.value.etag === '"v1"' ? FILE : OTHER);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") assert.match(String(outcome.reason.code), /^MW_ERR_HTTP_FILE(_EXISTS)?$/);
    }
  });

  it("keeps nothing of a file that is too large or not the one that was meant", async () => {
    await using here = await place();
    await using server = await inTurn(half(), honest(), honest(), honest());
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
    await assert.rejects(fetchTo(here, server, { checksum: { sha256: sha256(OTHER) } }), {
      code: "MW_ERR_HTTP_CHECKSUM",
    });
    assert.deepEqual(await here.files(), []);
    await assert.rejects(fetchTo(here, server, { maxBytes: FILE.length - 1 }), { code: "MW_ERR_HTTP_BODY_TOO_LARGE" });
    assert.deepEqual(await here.files(), []);
    assert.equal((await fetchTo(here, server, { maxBytes: FILE.length })).bytes, FILE.length);
  });

  it("keeps what was received when it is cancelled, and what was kept when the server fails", async () => {
    await using here = await place();
    const stuck: Handler = (_request, response) => {
      head(response, {});
      response.write(FILE.subarray(0, HALF));
    };
    await using server = await inTurn(stuck, (_request, response) => response.writeHead(500).end(), honest());
    await cancelScope(async (scope) => {
      const onProgress = () => void setImmediate(() => scope.cancel());
      await assert.rejects(fetchTo(here, server, { onProgress }), isCancelled);
    });
    await server.allClosed();
    assert.deepEqual(await here.files(), PARTS);
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_STATUS", status: 500 });
    assert.deepEqual(await here.files(), PARTS);
    assert.ok((await fetchTo(here, server)).resumedFrom > 0);
    assert.deepEqual(await readFile(here.path), FILE);
  });

  it("unpacks what comes compressed though it asks for it plain, and resumes no such file", async () => {
    await using here = await place();
    const packed = gzipSync(FILE);
    const coded = { headers: { "content-encoding": "gzip" }, body: packed };
    const cut: Handler = (request, response) => {
      assert.equal(request.headers["accept-encoding"], "identity");
      head(response, coded);
      response.write(packed.subarray(0, 500), () => setImmediate(() => response.destroy()));
    };
    await using server = await inTurn(cut, honest(coded));
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
    assert.deepEqual(await here.files(), []);
    assert.equal((await fetchTo(here, server)).bytes, FILE.length);
    assert.deepEqual(await readFile(here.path), FILE);
  });

  it("leaves nothing to resume with resume: false", async () => {
    await using here = await place();
    await using server = await inTurn(half(), half(), honest());
    await assert.rejects(fetchTo(here, server, { resume: false }), { code: "MW_ERR_HTTP_INCOMPLETE" });
    assert.deepEqual(await here.files(), []);
    await assert.rejects(fetchTo(here, server), { code: "MW_ERR_HTTP_INCOMPLETE" });
    assert.equal((await fetchTo(here, server, { resume: false })).resumedFrom, 0);
    assert.equal(server.ranges.at(-1), undefined);
  });

  it("refuses every other status, and a part nobody asked for", async () => {
    await using here = await place();
    for (const [status, code] of [
      [404, "MW_ERR_HTTP_STATUS"],
      [204, "MW_ERR_HTTP_STATUS"],
      [206, "MW_ERR_HTTP_PROTOCOL"],
      [416, "MW_ERR_HTTP_STATUS"],
    ] as const) {
      await using server = await inTurn((_request, response) => response.writeHead(status, { etag: '"v1"' }).end());
      await assert.rejects(fetchTo(here, server), { code });
    }
    assert.deepEqual(await here.files(), []);
  });

  it("asks for nothing that it could not save", async () => {
    await using here = await place();
    await using server = await inTurn(honest());
    await writeFile(join(here.directory, "taken"), "mine");
    await mkdir(join(here.directory, "closed"));
    await chmod(join(here.directory, "closed"), 0o500);
    await using session = new ClientSession();
    const to = (name: string, options: object = {}) =>
      download(session, server.url, join(here.directory, name), options);
    await assert.rejects(to("taken"), { code: "MW_ERR_HTTP_FILE_EXISTS" });
    await assert.rejects(to("missing/file"), { code: "MW_ERR_HTTP_FILE" });
    await assert.rejects(to("taken/file"), { code: "MW_ERR_HTTP_FILE" });
    if (process.getuid?.() !== 0) await assert.rejects(to("closed/file"), { code: "MW_ERR_HTTP_FILE" });
    for (const bad of [
      { headers: { Range: "bytes=0-" } },
      { headers: [["if-range", "x"]] },
      { resume: 1 },
      { maxBytes: "x" },
      null,
    ]) {
      await assert.rejects(to("new", bad as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0 });
    }
    assert.equal(server.ranges.length, 0);
    assert.equal((await to("taken", { overwrite: true })).bytes, FILE.length);
  });
});
