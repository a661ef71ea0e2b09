// api.ts --check turns red when a public signature is not the committed one.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

const PACKAGE = {
  "packages/meanwhile/package.json": JSON.stringify({
    name: "meanwhile",
    exports: { ".": { types: "./dist/index.d.ts" }, "./testing": { types: "./dist/testing.d.ts" } },
  }),
  "packages/meanwhile/dist/index.d.ts": `import { pause } from "./a.js";\nexport { type A } from "./a.js";\nexport { pause as wait };\n`,
  "packages/meanwhile/dist/testing.d.ts": `/** Doc. */\nexport declare const clock: () => number;\n`,
  "packages/meanwhile/dist/a.d.ts": `
/** Doc. */
interface A {
  /** Doc. */
  n: number; // note
}
declare class pause {
  #private;
  go(n: number): void;
}
declare function hidden(): void;
export { pause, A };
`,
};
const API = `<!-- Made by \`npm run api\` from the built declarations. -->

# meanwhile

\`\`\`ts
interface A {
  n: number; 
}
class pause {
  go(n: number): void;
}
export { pause as wait };
\`\`\`

# meanwhile/testing

\`\`\`ts
const clock: () => number;
\`\`\`
`;

describe("api", () => {
  it("accepts the committed signatures when they are the built ones", () => {
    const files = { ...PACKAGE, "packages/meanwhile/api.md": API };
    assert.deepEqual(runTool("api.ts", files, "--check"), { exitCode: 0, output: "" });
  });

  it("refuses a signature that changed", () => {
    const { exitCode, output } = runTool(
      "api.ts",
      { ...PACKAGE, "packages/meanwhile/api.md": API.replace("n: number)", "n: string)") },
      "--check",
    );
    assert.match(output, /packages\/meanwhile\/api\.md is out of date: run `npm run api`/);
    assert.equal(exitCode, 1);
  });

  it("refuses a package without api.md", () => {
    assert.equal(runTool("api.ts", PACKAGE, "--check").exitCode, 1);
  });
});
