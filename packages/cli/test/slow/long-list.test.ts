// Lists of any length in constant memory.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";

import { BIN } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

const LIMIT_MB = 250;

async function writeList(path: string, count: number, urlOf: (index: number) => string): Promise<void> {
  const file = createWriteStream(path);
  for (let index = 0; index < count; index++) {
    if (!file.write(`${urlOf(index)}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}

/** Resident memory in megabytes; undefined when the process is gone, or where there is no /proc. */
function rssOf({ pid }: ChildProcess): number | undefined {
  try {
    const [, kB] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kB === undefined ? undefined : Number(kB) / 1_024;
  } catch {
    return undefined;
  }
}

interface Measured {
  readonly exit: unknown;
  readonly records: number;
  readonly firstAfterMs: number;
  /** Of each quarter of the run, the most. */
  readonly rss: readonly number[];
}

async function fetchList(list: string, count: number): Promise<Measured> {
  const started = performance.now();
  const args = ["--conditions=@meanwhile/source", BIN, "fetch", "-i", list, "--quiet", "--retries", "0"];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let records = 0;
  let firstAfterMs = 0;
  const rss = [0, 0, 0, 0];
  const timer = setInterval(() => {
    const quarter = Math.min(3, Math.floor((records / count) * 4));
    rss[quarter] = Math.max(rss[quarter] ?? 0, rssOf(child) ?? 0);
  }, 20);
  for await (const _ of createInterface(child.stdout)) {
    if (records === 0) firstAfterMs = performance.now() - started;
    records += 1;
  }
  clearInterval(timer);
  const [exit] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  return { exit, records, firstAfterMs, rss };
}

async function withList(
  count: number,
  urlOf: (index: number) => string,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-list-"));
  try {
    const list = join(directory, "list");
    await writeList(list, count, urlOf);
    await body(list);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("meanwhile fetch", () => {
  it("takes 200 000 URLs of a server in flat memory", async (t) => {
    await using server = await TestServer.start();
    const count = 200_000;
    await withList(
      count,
      (index) => `${server.origin}/ok/${index}`,
      async (list) => {
        const forget = setInterval(() => void server.seen.splice(0), 100);
        const measured = await fetchList(list, count);
        clearInterval(forget);
        t.diagnostic(JSON.stringify(measured));
        assert.deepEqual([measured.exit, measured.records], [0, count]);
        assertFlat(measured);
      },
    );
  });

  it("takes a list of 1 000 000 lines, most of them no URLs, in flat memory", async (t) => {
    await using server = await TestServer.start();
    const count = 1_000_000;
    // One in a hundred is a URL: the list is the point here.
    const port = new URL(server.origin).port;
    const urlOf = (index: number): string =>
      index % 100 === 0 ? `http://127.0.0.1:${port}/ok/${index}` : `not a url ${index}`;
    await withList(count, urlOf, async (list) => {
      const measured = await fetchList(list, count);
      t.diagnostic(JSON.stringify(measured));
      assert.deepEqual([measured.exit, measured.records], [1, count]);
      assertFlat(measured);
    });
  });
});

function assertFlat({ rss, firstAfterMs }: Measured): void {
  const [, second = 0, , last = 0] = rss;
  assert.ok(Math.max(...rss) <= LIMIT_MB, `at most ${LIMIT_MB} MB: ${rss.join(", ")}`);
  assert.ok(last <= second * 1.25 + 10, `flat: ${rss.join(", ")}`);
  assert.ok(firstAfterMs < 1_000, `the first record after ${firstAfterMs} ms`);
}
