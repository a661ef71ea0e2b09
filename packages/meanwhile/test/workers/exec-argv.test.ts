import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const program = `
import { runSync, WorkerPool } from "meanwhile/workers";
await using pool = new WorkerPool(new URL("node:path"), { threads: 1 });
console.log(await pool.call("basename", "/a/b.txt"), runSync("node:path", "basename", "/c/d.txt"));
`;

describe("a program that is given as text, with options of V8", () => {
  it("starts threads, which have its options", async () => {
    const options = ["--conditions=@meanwhile/source", "--max-old-space-size=300", "--expose-gc"];
    for (const last of [
      ["--input-type=module", "--eval", program],
      ["-e", program],
    ]) {
      const { stdout } = await promisify(execFile)(process.execPath, [...options, ...last], {
        cwd: import.meta.dirname,
        env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      });
      assert.equal(stdout, "b.txt d.txt\n");
    }
  });
});
