// What holds for every file: nothing is moved, nothing done twice, nothing done where it is not wanted.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

import { parseSync } from "oxc-parser";

import { transform, TransformError, type TransformOptions } from "../../src/index.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const OPTIONS: TransformOptions = { id: "a.ts", format: "module", runtime: "rt" };
const CODE = "export const f = async (x) => await x;";

function edited(code: string, options: Partial<TransformOptions> = {}): string | null {
  return transform(code, { ...OPTIONS, ...options })?.code ?? null;
}

describe("transform", () => {
  it("returns null where there is nothing to do", () => {
    for (const code of ["", "// await", "const a = 1;", "async () => {};", "#!/bin/sh\n", "f(); // async"]) {
      assert.equal(edited(code), null, code);
    }
    assert.equal(
      edited("declare const a: Promise<void>; export async function f() { await a }", { id: "a.d.mts" }),
      null,
    );
  });

  it("leaves an instrumented file alone, and a bundle that holds one", () => {
    const once = edited(CODE) ?? "";
    assert.equal(edited(once), null);
    assert.equal(edited(`${CODE}\n${once.replaceAll(/__mw(?=[stf.])/g, "q").replaceAll(/\s+/g, " ")}`), null);
    assert.equal(edited(edited(CODE, { format: "commonjs" }) ?? "", { format: "commonjs" }), null);
  });

  it("reads the syntax that the ending of the path names", () => {
    const typed = "const f = async (x: number) => await <any>x;";
    assert.match(edited(typed, { id: "file:///a/b.mts?v=1#x" }) ?? "", /0, <any>x\)/);
    assert.throws(() => edited(typed, { id: "a.js" }), TransformError);
    assert.match(
      edited("const f = async () => <A b={await c}>await {...(await d)}</A>", { id: "a.jsx" }) ?? "",
      /b=\{__mw\.r\(__mwf1,await .*>await \{\.\.\.\(__mw\.r/,
    );
    assert.match(edited("const f = async <T,>(x: T) => <A b={await x} />", { id: "a.tsx" }) ?? "", /b=\{__mw\.r/);
    assert.match(edited("const f = async () => <A b={await c} />", { id: "a.js" }) ?? "", /b=\{__mw\.r/);
    assert.match(edited(typed, { id: "a.js", language: "ts" }) ?? "", /0, <any>x\)/);
  });

  it("says where a source has a mistake", () => {
    assert.throws(() => edited("async;\n\n  let = ;"), {
      name: "TransformError",
      code: "MW_ERR_TRANSFORM",
      id: "a.ts",
      line: 3,
      column: 9,
      message: /^Cannot instrument a\.ts:3:9: \w/,
    });
  });

  it("refuses what is nested too deep, and takes what people write", () => {
    assert.match(edited(`${CODE} a${".b()".repeat(500)}; ${"if (a) b; else ".repeat(500)} c`) ?? "", /await __mw/);
    assert.throws(() => edited(`${CODE} a${" + a".repeat(8_000)}`), { code: "MW_ERR_TRANSFORM" });
  });

  it("makes a map only if it is asked to, and the same code", () => {
    const code = `await 1;\n${CODE}\nfor await (const x of y) x;\nimport.meta.main`;
    const options = { ...OPTIONS, isEntry: true };
    const plain = transform(code, options);
    const mapped = transform(code, { ...options, map: true });
    assert.equal(plain?.map, undefined);
    assert.equal(mapped?.code, plain?.code);
    assert.deepEqual(mapped?.map?.sources, ["a.ts"]);
    assert.equal(mapped.map.mappings.split(";").length, 5);
    const ending = transform(`${code}\n`, { ...options, map: true });
    assert.equal(ending?.map?.mappings.split(";").length, 6);
    assert.equal(ending.code.split("\n").length, 6);
  });

  it("makes import.meta.main true in the entry alone", () => {
    assert.equal(edited("if (import.meta.main) f()", { isEntry: true }), "if (true) f()");
    assert.equal(
      edited("x = import\n.meta\n.main ? 1 : 2; import.meta.url", { isEntry: true }),
      "x = true\n\n ? 1 : 2; import.meta.url",
    );
    assert.equal(edited("if (import.meta.main) f()"), null);
    assert.match(edited(`${CODE} import.meta.main`, { isEntry: true }) ?? "", / true\n/);
  });
});

describe("meanwhile:off", () => {
  const off = (code: string): boolean => edited(code) === null;

  it("leaves alone what it stands before, and all in it", () => {
    assert.ok(off("// meanwhile:off\nasync function f() { await (async () => await 1)(); g(); }"));
    assert.ok(off("// meanwhile:off\n// another\nexport const f = async () => await 1"));
    assert.ok(off("/* meanwhile:off because it is hot */ const f = async () => await 1"));
    assert.ok(off("/** doc */ /* meanwhile:off */ export default async () => await 1"));
    assert.ok(off("// meanwhile:off\nclass A { async m() { await 1 } x = async () => await 1 }"));
    assert.ok(
      off(
        "const f = /* meanwhile:off */ async () => await 1; const o = { /* meanwhile:off */ async m() { await 1 }, /* meanwhile:off */ a: async () => await 1 }",
      ),
    );
    assert.ok(off("class A { /* meanwhile:off */ async m() { await 1 } }"));
    assert.ok(off("x = f(/* meanwhile:off */ async () => await 1)"));
  });

  it("leaves nothing else alone", () => {
    const code = edited("// meanwhile:off\nasync function f() { await 1 }\nasync function g() { await 2 }") ?? "";
    assert.match(code, /f\(\) \{ await 1 \}\nasync function g\(\) \{const/);
    const inner = edited("async () => { /* meanwhile:off */ const f = async () => await 1; await 2 }") ?? "";
    assert.match(inner, /=> await 1; __mw\.r/);
    assert.equal(off(`x = "meanwhile:off"; ${CODE}`), false);
    assert.equal(off(`// not meanwhile:off\n${CODE}`), false);
  });

  it("does not hide the waits of the function around", () => {
    assert.match(
      edited("async () => {\n// meanwhile:off\nf(async () => await 1, await 2) }") ?? "",
      /async \(\) => await 1, __mw\.r/,
    );
  });

  it("with `file` before the first statement leaves the file alone", () => {
    assert.ok(off(`#!/usr/bin/env node\n/* licence */\n// meanwhile:off file\n${CODE}`));
    assert.equal(off(`${CODE}\n// meanwhile:off file\n`), false);
  });
});

describe("any source", () => {
  const files = globSync(
    [
      "packages/*/{src,test}/**/*.ts",
      "bench/**/*.ts",
      "examples/*.ts",
      "node_modules/{undici,p-map,p-limit,p-retry,ws,effect/src,vite/dist/node/chunks,tsdown,knip,@changesets,vitest,@vitest/*}/**/*.{js,cjs,mjs,ts}",
    ],
    { cwd: ROOT, exclude: ["**/*.d.ts", "**/*.d.mts"] },
  );
  const sources = files.map((file) => ({ file, code: readFileSync(join(ROOT, file), "utf8") }));

  function formatOf(file: string, code: string): "module" | "commonjs" {
    if (/\.c[jt]s$/.test(file)) return "commonjs";
    return /\.(?:ts|m[jt]s)$/.test(file) || /^\s*(?:import|export)\b/m.test(code) ? "module" : "commonjs";
  }

  it("has its lines where they were, and parses", { timeout: 60_000 }, () => {
    let count = 0;
    for (const { file, code } of sources.filter(
      (source) => /\basync\b/.test(source.code) && source.code.length < 400_000,
    )) {
      const format = formatOf(file, code);
      let result: string | null = null;
      try {
        result = edited(code, { id: file, format });
      } catch (error) {
        assert.ok(error instanceof TransformError, String(error)); // a file of no module format at all
      }
      if (result === null) continue;
      count += 1;
      const [mistake] = parseSync(file, result, { sourceType: format }).errors;
      assert.equal(mistake, undefined, `${file}: ${mistake?.message}`);
      assert.equal(firstOtherLine(code, result), undefined, file);
    }
    assert.ok(count > 200, `${count} files`);
  });

  /** The first line that is not the original one with something put in between. */
  function firstOtherLine(before: string, after: string): string | undefined {
    const lines = after.split("\n");
    const originals = before.split("\n");
    if (/^var \S+s;function /.test(lines.at(-1) ?? "")) lines.pop();
    if (lines.length !== originals.length) return `${lines.length} lines, not ${originals.length}`;
    // What stands in the head of a loop is moved.
    const moved = /(?<=for (?:await )?\()await using \w+/;
    return originals.find((line, index) => !isWithin(line.replace(moved, ""), lines[index] ?? ""));
  }

  function isWithin(part: string, whole: string): boolean {
    if (part === whole) return true;
    let at = 0;
    for (const character of whole) if (character === part.slice(at, at + character.length)) at += character.length;
    return at === part.length;
  }
});
