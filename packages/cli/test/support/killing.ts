// Kills a run at a random moment and repeats it, until it comes to its end: what is in the file of records then?

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import type { FetchRecord } from "../../src/fetch/record.ts";
import { startCli } from "./cli.ts";
import { TestServer } from "./server.ts";

export interface Killed {
  readonly kills: number;
  /** Lines that are no record. */
  readonly corrupt: number;
  /** URLs without a record that says ok. */
  readonly lost: number;
  /** Records that say ok for a URL that has one already. */
  readonly doubled: number;
  /** Requests for URLs beyond one for each. */
  readonly refetched: number;
  readonly lastExit: unknown;
}

/** Fetches `count` URLs, with `kill -9` after each of the delays, and once to the end. `random` is from 0 to 1. */
export async function killAndResume(count: number, kills: number, random: () => number): Promise<Killed> {
  await using server = await TestServer.start();
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-killing-"));
  try {
    const [state, file] = [join(directory, "state"), join(directory, "records.jsonl")];
    const args = ["fetch", "-", "-q", "--state", state, "--jsonl", file];
    const input = Array.from({ length: count }, (_, index) => `${server.origin}/pause/${index}\n`).join("");
    let [seen, lastExit]: [number, unknown] = [0, null];
    for (let kill = 0; kill <= kills; kill++) {
      const { child, ended } = startCli(args, { input });
      if (kill < kills) {
        // Not before it has begun: then there is nothing to lose.
        while (server.seen.length === seen && child.exitCode === null) await wait(2);
        await wait(random() * 60);
        child.kill("SIGKILL");
      }
      lastExit = (await ended).exit;
      seen = server.seen.length;
    }
    return { kills, ...examine(readFileSync(file, "utf8"), count), refetched: seen - count, lastExit };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function examine(text: string, count: number): Pick<Killed, "corrupt" | "lost" | "doubled"> {
  const found = new Map<string, number>();
  let corrupt = text.endsWith("\n") ? 0 : 1;
  for (const line of text.split("\n").slice(0, -1)) {
    const record = parse(line);
    if (record === undefined) corrupt += 1;
    else if (record.ok) found.set(record.url, (found.get(record.url) ?? 0) + 1);
  }
  const doubled = [...found.values()].reduce((sum, times) => sum + times - 1, 0);
  return { corrupt, lost: count - found.size, doubled };
}

function parse(line: string): FetchRecord | undefined {
  try {
    const record: FetchRecord = JSON.parse(line);
    return record;
  } catch {
    return undefined;
  }
}
