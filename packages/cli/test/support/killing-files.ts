// Kills a run that saves large files at random moments and repeats it, until it comes to its end: what is on the disk then?

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { startCli } from "./cli.ts";

const CHUNK_BYTES = 64 * 1024;
const CHUNK_MS = 12;
const LONGEST_RUN_MS = 120;
/** What a run that is killed may leave: parts, notes of what they are, and both on their way to their names. */
const UNFINISHED = /^file-\d+\.(part(\.json)?(\.mw-[0-9a-f]{8}-\d+-\d+\.part)?|mw-[0-9a-f]{8}-\d+-\d+\.part)$/;

export interface KilledFilesOptions {
  readonly files: number;
  readonly bytes: number;
  readonly kills: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface KilledFiles {
  /** How many runs were killed before their end. */
  readonly killed: number;
  /** Files that are not what the server has. */
  readonly corrupt: number;
  readonly lost: number;
  /** What else is in the directory, but for what says that it is unfinished. */
  readonly excess: readonly string[];
  /** Files that say that they are unfinished, and which nobody will finish. */
  readonly unfinished: number;
  /** Requests for the rest of a file. */
  readonly resumed: number;
  /** What the server sent beyond each file once, in parts of all files. */
  readonly overhead: number;
  readonly lastExit: unknown;
}

const sumOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Sends files slowly, and their rests to those who ask for them. */
class FileServer implements AsyncDisposable {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  // Each file begins a byte later: they are all different.
  readonly #source: Buffer;
  readonly #bytes: number;
  requests = 0;
  resumed = 0;
  sentBytes = 0;

  constructor(files: number, bytes: number) {
    this.#source = randomBytes(bytes + files);
    this.#bytes = bytes;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  file(index: number): Buffer {
    return this.#source.subarray(index, index + this.#bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer({ url = "", headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const etag = `"${url}"`;
    const [, first] = headers["if-range"] === etag ? (/^bytes=(\d+)-$/.exec(headers.range ?? "") ?? []) : [];
    const start = Number(first ?? 0);
    const rest = this.file(Number(url.replace(/\D/g, ""))).subarray(start);
    if (start > 0) this.resumed += 1;
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      "content-length": rest.length,
      ...(start > 0 ? { "content-range": `bytes ${start}-${this.#bytes - 1}/${this.#bytes}` } : {}),
    });
    for (let at = 0; at < rest.length && !response.destroyed; at += CHUNK_BYTES) {
      const chunk = rest.subarray(at, at + CHUNK_BYTES);
      await new Promise((resolve) => response.write(chunk, resolve));
      this.sentBytes += chunk.length;
      await wait(CHUNK_MS);
    }
    response.end();
  }
}

/** Saves the files, with `kill -9` at random moments, and once to the end. */
export async function killAndResumeFiles({ files, bytes, kills, random }: KilledFilesOptions): Promise<KilledFiles> {
  await using server = new FileServer(files, bytes);
  const origin = await server.listen();
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-killing-"));
  try {
    const output = join(directory, "files");
    const state = ["--state", join(directory, "state"), "--jsonl", join(directory, "records")];
    const args = ["fetch", "-", "-q", "-o", output, "--resume", "--skip-existing", ...state];
    const input = Array.from({ length: files }, (_, index) => `${origin}/file-${index}\n`).join("");
    let [killed, lastExit]: [number, unknown] = [0, null];
    for (let kill = 0; kill <= kills && (kill === 0 || lastExit === "SIGKILL"); kill++) {
      const seen = server.requests;
      const { child, ended } = startCli(args, { input });
      if (kill < kills) {
        // Not before it has begun: then there is nothing to lose.
        while (server.requests === seen && child.exitCode === null) await wait(2);
        await wait(random() * LONGEST_RUN_MS);
        child.kill("SIGKILL");
      }
      lastExit = (await ended).exit;
      if (lastExit === "SIGKILL") killed += 1;
    }
    const { resumed, sentBytes } = server;
    const examined = examine(
      output,
      Array.from({ length: files }, (_, index) => sumOf(server.file(index))),
    );
    return { killed, ...examined, resumed, overhead: sentBytes / (files * bytes) - 1, lastExit };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function examine(
  directory: string,
  sums: readonly string[],
): Pick<KilledFiles, "corrupt" | "lost" | "excess" | "unfinished"> {
  const names = sums.map((_, index) => `file-${index}`);
  const found = readdirSync(directory);
  const isWrong = (name: string, index: number): boolean =>
    found.includes(name) && sumOf(readFileSync(join(directory, name))) !== sums[index];
  return {
    corrupt: names.filter(isWrong).length,
    lost: names.filter((name) => !found.includes(name)).length,
    excess: found.filter((name) => !names.includes(name) && !UNFINISHED.test(name)),
    unfinished: found.filter((name) => UNFINISHED.test(name)).length,
  };
}
