// Each rule of check-comments.ts turns red on an entry point that breaks that rule alone.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

const MANIFEST = JSON.stringify({
  name: "meanwhile",
  exports: { ".": { "@meanwhile/source": "./src/index.ts" }, "./internal/*": null },
});
const SOUND = `
/** Says hello. */
export function hello(): void {}
/**
 * Waits.
 *
 * Cancellation: safe. It stops the wait.
 */
export async function pause(): Promise<void> {}
/** Wraps a function; the wrapper waits, this does not. */
export function wrap(): () => Promise<void> { return pause; }
function hidden(): void {}
/** Holds it. */
export class Holder {
  #value = 1;
  private other = 2;
  constructor() { hidden(); }
  /** How many. */
  get size(): number { return this.#value + this.other; }
  override toString(): string { return ""; }
  then(): Promise<void> { return pause(); }
  *[Symbol.iterator](): Iterator<number> {}
}
`;

function check(addition: string, names: string): ReturnType<typeof runTool> {
  return runTool("check-comments.ts", {
    "packages/meanwhile/package.json": MANIFEST,
    "packages/meanwhile/src/index.ts": `export { hello, pause, wrap, Holder, ${names} } from "./middle.ts";\n`,
    "packages/meanwhile/src/middle.ts": `export { hello, pause, wrap, Holder, ${names} } from "./all.ts";\n`,
    "packages/meanwhile/src/all.ts": SOUND + addition,
  });
}

describe("check-comments", () => {
  it("accepts an entry point where everything is documented", () => {
    assert.deepEqual(check("", ""), { exitCode: 0, output: "" });
  });

  const broken: Record<string, [addition: string, complaint: RegExp]> = {
    "a function without a doc comment": [`export function x(): void {}`, /all\.ts:\d+ x has no doc comment/],
    "a type without a doc comment": [`export type x = 1;`, /x has no doc comment/],
    "a line comment in place of a doc comment": [`// Does it.\nexport const x: number = 1;`, /x has no doc comment/],
    "a doc comment that belongs to something else": [`/** It. */\nhello();\nexport type x = 1;`, /x has no doc/],
    "an async function without a Cancellation line": [
      `/** It. */\nexport async function x(): Promise<void> {}`,
      /x waits/,
    ],
    "a function that returns a promise": [
      `/** It. */\nexport function x(): Promise<void> { return pause(); }`,
      /x waits/,
    ],
    "a constant that is a coroutine function": [`/** It. */\nexport const x: () => Coroutine<void> = y;`, /x waits/],
    "an empty Cancellation line": [`/** It. Cancellation: */\nexport async function x(): Promise<void> {}`, /x waits/],
    "a Cancellation line that does not say what becomes of the data": [
      `/**\n * It.\n *\n * Cancellation: ends the wait.\n */\nexport async function x(): Promise<void> {}`,
      /x waits.*"safe\.", "loses" what or "reaches" whom/,
    ],
    "a method without a doc comment": [`/** It. */\nexport class x { go(): void {} }`, /x\.go has no doc comment/],
    "a field without a doc comment": [`/** It. */\nexport class x { readonly a = 1; }`, /x\.a has no doc comment/],
    "an async method": [`/** It. */\nexport class x { /** It. */ async go(): Promise<void> {} }`, /x\.go waits/],
    "an async method of an interface": [
      `/** It. */\nexport interface x { /** It. */ go(): Promise<void> }`,
      /x\.go waits/,
    ],
    "an option without a doc comment": [
      `/** It. */\nexport interface x { timeoutMs: number }`,
      /x\.timeoutMs has no doc/,
    ],
    "an async disposer": [
      `/** It. */\nexport class x { async [Symbol.asyncDispose](): Promise<void> {} }`,
      /asyncDispose\] has no doc/,
    ],
  };
  for (const [what, [addition, complaint]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { exitCode, output } = check(addition, "x");
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }

  it("refuses a folder without packages", () => {
    assert.equal(runTool("check-comments.ts", {}).exitCode, 1);
  });
});
