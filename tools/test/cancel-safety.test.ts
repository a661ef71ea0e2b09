// The table of cancellation safety is made of the doc comments, and --check turns red when it is another one.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

const FILES = {
  "packages/meanwhile/package.json": JSON.stringify({
    name: "meanwhile",
    exports: { ".": { "@meanwhile/source": "./src/index.ts" } },
  }),
  "packages/meanwhile/src/index.ts": `export { pause, Box } from "./all.ts";\n`,
  "packages/meanwhile/src/all.ts": `
/**
 * Waits.
 *
 * Cancellation: loses what {@link Box}
 * holds. More
 * about a | b.
 *
 * @throws nothing
 */
export async function pause(): Promise<void> {}
/** A box. */
export interface Box {
  /**
   * Opens it.
   *
   * Cancellation: safe. It stays shut.
   */
  open(): Promise<void>;
  /**
   * Fills it.
   *
   * Cancellation: safe.
   *
   * @internal
   */
  fill(): Promise<void>;
  /** Its size. */
  readonly size: number;
}
`,
};

const TABLE = `
## \`meanwhile\`

| call       | when cancelled |                                      |
| ---------- | -------------- | ------------------------------------ |
| \`Box.open\` | safe           | It stays shut.                       |
| \`pause\`    | loses          | what \`Box\` holds. More about a \\| b. |
`;

const page = (content: string): Record<string, string> => ({ ...FILES, "docs/cancel-safety.md": content });

describe("cancel-safety", () => {
  it("has a row for every call that waits and is not internal, with what its comment says", () => {
    const { output } = runTool("cancel-safety.ts", page(""), "--print");
    assert.ok(output.endsWith(TABLE), output);
  });

  it("accepts the page that it writes", () => {
    const { output } = runTool("cancel-safety.ts", page(""), "--print");
    assert.deepEqual(runTool("cancel-safety.ts", page(output), "--check"), { exitCode: 0, output: "" });
  });

  it("refuses another page", () => {
    const { exitCode, output } = runTool("cancel-safety.ts", page("# Old"), "--check");
    assert.match(output, /is not what the doc comments say: run node tools\/cancel-safety\.ts/);
    assert.equal(exitCode, 1);
  });
});
