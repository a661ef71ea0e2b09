// Functions of toThread that need packages in their thread.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { runInThisContext } from "node:vm";

import { run } from "meanwhile";
import { runSync, toThread } from "meanwhile/workers";

describe("a function given to toThread", () => {
  it("may block its thread", async () => {
    const module = new URL("./modules/sync-functions.ts", import.meta.url).href;
    const sum = await run(() =>
      toThread(async (url: string) => {
        const workers = await import("meanwhile/workers");
        return workers.runSync<number>(url, "add", 1, 2);
      }, module),
    );
    assert.equal(sum, 3);
    assert.equal(runSync(module, "add", 1, 2), 3);
  });

  it("runs an instrumented function as its source says", () => {
    const program = new URL("./modules/instrumented-to-thread.ts", import.meta.url);
    const hook = new URL("../../../instrument/src/register.ts", import.meta.url).href;
    const args = ["--conditions=@meanwhile/source", `--import=${hook}`, program.pathname];
    const env = { ...process.env, NODE_V8_COVERAGE: "" };
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
    assert.equal(`${stdout}${stderr}`, "[ 3, 5, 7 ] closed\n");
  });

  it("imports as Vite writes it, from where its file is", async () => {
    const text = `async () => {
      const { basename } = await __vite_ssr_dynamic_import__("node:path");
      const { add } = await __vite_ssr_dynamic_import__("./modules/jobs.ts");
      return basename("/a/b") + add(1, 2);
    }`;
    // What is around its text is declared here only.
    const fn = runInThisContext(`((__vite_ssr_dynamic_import__) => ${text})()`) as () => Promise<string>;
    assert.equal(await run(() => toThread(fn)), "b3");
  });
});
