// The tour, from beginning to end.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Snapshot } from "meanwhile/diagnostics";

import { buildPage } from "../../../inspector/test/support/page.ts";
import { cli, startCli } from "../support/cli.ts";

describe("meanwhile tour", () => {
  it("ends by itself in less than 30 s with exit code 0, in 80 columns, without a terminal", async () => {
    const started = performance.now();
    const { exit, stdout, stderr } = await cli(["tour"]);
    assert.equal(exit, 0, stderr);
    assert.equal(stderr, "");
    assert.ok(performance.now() - started < 30_000);
    assert.doesNotMatch(stdout, /(?!\n)\p{Cc}/u);
    for (const line of stdout.split("\n").filter((text) => !text.includes("src/tour")))
      assert.ok(line.length <= 80, line);
    const said = [
      /MW_WARN_NEVER_AWAITED/,
      /The event loop has been blocked for \d+ ms by task \d+ "parser" at parse(Line|All)\b/,
      /DeadlockError/,
      /attempt 3 /,
      /cleans up/,
      /300 answers/,
      /Hello, visitor=Ada/,
      /1\.00 MB saved/,
      /"name":"Ada","euros":10|This chapter needs a PostgreSQL/,
      /Grace: hello from Ada, Emmy: hello from Ada/,
      /visit 1, \(lost\), visit 2, \(lost\), visit 3/,
      /in \d+ threads, and the timer kept going/,
      /chapters\/deadlock\.ts/,
    ];
    for (const pattern of said) assert.match(stdout, pattern);
  });

  it("with --inspect prints the address of a page that sees what its chapters block and forget", async () => {
    await buildPage();
    const { child, ended } = startCli(["tour", "--inspect"]);
    const said = new Promise<string>((resolve) => child.stdout?.once("data", (text) => resolve(String(text))));
    const { origin, hash } = new URL((await said).trim().split("\n")[0] ?? "");
    const headers = { authorization: `Bearer ${hash.slice(1)}` };
    const kinds = new Set<string>();
    for (let hasEnded = false; !hasEnded; hasEnded = child.exitCode !== null) {
      const answer = await fetch(`${origin}/v1/snapshot?stacks=0`, { headers }).catch(() => null);
      const state = answer?.ok === true ? ((await answer.json()) as Snapshot) : null;
      for (const { kind, message } of state?.warnings ?? [])
        kinds.add(`${kind} ${/parser|saveUser/.exec(message)?.[0]}`);
    }
    assert.equal((await ended).exit, 0);
    assert.ok(kinds.has("loop-blocked parser") && kinds.has("never-awaited saveUser"), [...kinds].join(", "));
  });
});
