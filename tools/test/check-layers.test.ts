// Each rule of check-layers.ts turns red on a tree that breaks that rule alone.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

const SOUND = {
  "packages/meanwhile/src/errors.ts": `export class UsageError extends Error {}\n`,
  "packages/meanwhile/src/kernel/foreign.ts": `export const aborter = new AbortController();\n`,
  "packages/meanwhile/src/kernel/scope.ts": `import type { Task } from "./task.ts";\nexport type Scope = Task;\nexport const a = 1;\n`,
  "packages/meanwhile/src/kernel/task.ts": `import { a } from "./scope.ts";\nexport type Task = typeof a;\n// AbortSignal\n`,
  "packages/meanwhile/src/lowlevel.ts": `export { aborter } from "./kernel/foreign.ts";\n`,
  "packages/meanwhile/src/sync/lock.ts": `import { aborter } from "../lowlevel.ts";\nexport const lock = aborter as { signal?: AbortSignal };\n`,
  "packages/meanwhile/src/index.ts": `export { lock } from "./sync/lock.ts";\n`,
  "packages/http/src/index.ts": `import { lock } from "meanwhile";\nimport "undici";\nexport const b = lock;\n`,
  "packages/cli/src/index.ts": `import "@meanwhile/http";\n`,
};

function check(change: Readonly<Record<string, string>>): ReturnType<typeof runTool> {
  return runTool("check-layers.ts", { ...SOUND, ...change });
}

describe("check-layers", () => {
  it("accepts a sound tree, a type-only cycle and a comment included", () => {
    assert.deepEqual(check({}), { exitCode: 0, output: "" });
  });

  const broken: Record<string, [path: string, content: string, complaint: RegExp]> = {
    "an import from a higher layer": [
      "kernel/up.ts",
      `import "../sync/lock.ts";`,
      /up\.ts must not import .*higher layer/,
    ],
    "a re-export from a higher layer": ["kernel/up.ts", `export { lock } from "../sync/lock.ts";`, /higher layer/],
    "a dynamic import from a higher layer": ["kernel/up.ts", `await import("../sync/lock.ts");`, /higher layer/],
    "a primitive that reaches around lowlevel.ts": ["sync/x.ts", `import "../kernel/task.ts";`, /use lowlevel\.ts/],
    "a file in no layer": ["helpers.ts", `export const x = 1;`, /belongs to no layer/],
    "a cycle inside a layer": ["kernel/scope.ts", `export { a } from "./task.ts";`, /Cycle: .*task\.ts → /],
    "an AbortSignal outside foreign.ts": ["sync/x.ts", `AbortSignal.timeout(1);`, /x\.ts:1 .*only kernel\/foreign/],
    "a look at an AbortSignal outside foreign.ts": [
      "sync/x.ts",
      `export const is = (s: AbortSignal) => s.aborted;`,
      /mention aborted: only kernel\/foreign/,
    ],
    "an AsyncLocalStorage outside current.ts": ["kernel/x.ts", `new AsyncLocalStorage();`, /only kernel\/context/],
    "code in an entry point": ["index.ts", `export const x = 1;`, /index\.ts:1 .*only list names/],
    "a star in an entry point": ["index.ts", `export * from "./sync/lock.ts";`, /only list names/],
    "a core that imports a satellite": ["sync/x.ts", `import "@meanwhile/http";`, /must not import @meanwhile\/http/],
    "an import that leaves the package": ["sync/x.ts", `import "../../../http/src/index.ts";`, /outside its package/],
    "an import of a file that is not there": ["sync/x.ts", `import "./y.ts";`, /which is not there/],
  };
  for (const [what, [path, content, complaint]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { exitCode, output } = check({ [`packages/meanwhile/src/${path}`]: content });
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }

  it("refuses a satellite that uses more than the two public faces", () => {
    assert.match(
      check({ "packages/http/src/x.ts": `import "meanwhile/testing";` }).output,
      /must not import meanwhile\/test/,
    );
  });

  it("refuses a satellite that imports the command", () => {
    assert.match(
      check({ "packages/http/src/x.ts": `import "@meanwhile/cli";` }).output,
      /must not import @meanwhile\/cli/,
    );
  });

  it("refuses a package without a rule", () => {
    assert.match(check({ "packages/new/src/x.ts": `export {};` }).output, /packages\/new has no import rule/);
  });

  it("refuses a folder without sources", () => {
    assert.equal(runTool("check-layers.ts", {}).exitCode, 1);
  });
});
