// meanwhile run: what a program's loading takes is not told as its fault.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { startCli } from "../support/cli.ts";

describe("A program that takes long to load under meanwhile run", () => {
  it("is not told to have blocked the event loop", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-test-"));
    try {
      const part = (i: number): string => `export async function f${i}(n) { const m = await n; return m + ${i}; }\n`;
      writeFileSync(join(folder, "large.mjs"), Array.from({ length: 4_000 }, (_, i) => part(i)).join(""));
      const main = join(folder, "main.mjs");
      writeFileSync(main, 'import "./large.mjs";\nconsole.log("loaded");\n');
      const { exit, stdout, stderr } = await startCli(["run", "--no-cache", main]).ended;
      assert.deepEqual([exit, stdout, stderr], [0, "loaded\n", ""]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
