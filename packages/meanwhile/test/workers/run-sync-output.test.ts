import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

describe("output under runSync", () => {
  it("keeps the order of what the function and its caller write", () => {
    const program = fileURLToPath(new URL("./modules/logs-in-order.ts", import.meta.url));
    // Both streams into one pipe, so that their order can be seen.
    const shell = ["-c", '"$0" --conditions=@meanwhile/source "$1" 2>&1', process.execPath, program];
    const { stdout } = spawnSync("sh", shell, { encoding: "utf8" });
    const long = "x".repeat(100_000);
    const rounds = [1, 2].flatMap((round) => [`before ${round}`, `inside ${round}`, `inside ${round} again`]);
    assert.deepEqual(stdout.split("\n"), [...rounds, long, `${long} again`, "after", ""]);
  });
});

describe("a module that never ends to load", () => {
  it("fails the call of runSync, and Node warns of nothing", () => {
    const module = new URL("./modules/never-loads.ts", import.meta.url).href;
    const program = `
      import { runSync } from "meanwhile/workers";
      try { runSync(${JSON.stringify(module)}, "never"); } catch (error) { console.log(error.code, error.message); }
    `;
    const args = ["--conditions=@meanwhile/source", "--input-type=module", `--eval=${program}`];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: import.meta.dirname });
    assert.match(stdout, /^MW_ERR_WORKER_CRASHED Cannot finish "never": .*nothing was left in it to wait for/);
    assert.equal(stderr, "");
  });
});
