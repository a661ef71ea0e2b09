import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runInThisContext } from "node:vm";

import { run } from "meanwhile";
import { toThread, type WorkerError } from "meanwhile/workers";

/** A function as a tool has left it: what is around its text is declared here only. */
function translated(text: string): (...args: never[]) => unknown {
  const helpers = "__name, __vite_ssr_import_meta__, __vite_ssr_import_0__, __awaiter, cov_1a2b3c";
  return runInThisContext(`((${helpers}) => ${text})()`) as (...args: never[]) => unknown;
}

describe("a function given to toThread that a tool has translated", () => {
  it("keeps the names that esbuild gives to what is in it", async () => {
    const fn = translated(`(a) => {
      const inner = /* @__PURE__ */ __name((b) => b * 2, "inner");
      class Point { static { __name(this, "Point"); } }
      return [inner(a), inner.name, Point.name];
    }`);
    assert.deepEqual(await run(() => toThread(fn, 2 as never)), [4, "inner", "Point"]);
  });

  it("is not counted by Istanbul", async () => {
    const fn = translated("(a) => { cov_1a2b3c().f[0]++; cov_1a2b3c().b[1][0]++; return cov_1a2b3c().s[2]++, a; }");
    assert.equal(await run(() => toThread(fn, 5 as never)), 5);
  });

  it("is refused for other helpers, and the error says what they are", async () => {
    const rows = [
      [
        "() => __vite_ssr_import_0__.basename('/a')",
        /it uses an import of its file .* import it inside with await import\(\), or/,
      ],
      ["() => __awaiter(this, void 0)", /it uses "__awaiter", a helper of the tool .* have it translated for the Node/],
      ["() => __vite_ssr_import_meta__.url", /uses 'import\.meta', which belongs to its module/],
    ] as const;
    for (const [text, message] of rows) {
      await assert.rejects(
        () => run(() => toThread(translated(text))),
        (error: WorkerError) => message.test(error.message) || assert.fail(error.message),
      );
    }
  });
});
