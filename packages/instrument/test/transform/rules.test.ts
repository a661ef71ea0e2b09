// What is generated, rule by rule. The head of a file and the tables have tests of their own.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { transform } from "../../src/index.ts";

const HEAD =
  /^(.*?)(?:import\{runtime as __mw\}from "rt"|const __mw=globalThis\[Symbol\.for\("meanwhile\.frames"\)\]);/s;
const TABLE = /\nvar __mws;function __mwt\(\)\{.*\}$/;

/** The generated code without head and table, and with shorter names: F1 for a frame, S3 for a function, W4 for the site of a call. */
function generated(code: string, id = "a.ts", format: "module" | "commonjs" = "module"): string {
  const result = transform(code, { id, format, runtime: "rt" })?.code ?? "unchanged";
  return result
    .replace(HEAD, "$1")
    .replace(TABLE, "")
    .replaceAll(/\(__mws\?\?__mwt\(\)\)\.functions\[(\d+)\]/g, "S$1")
    .replaceAll(/\(__mws\?\?__mwt\(\)\)\.waits\[(\d+)\]/g, "W$1")
    .replaceAll(/__mwf(\d+)/g, "F$1")
    .replaceAll(/__mwg(\d+)/g, "G$1")
    .replaceAll("__mw.", "$")
    .replace(/^\$o\([^)]*\);/, "");
}

/** What the statements of an async function become. */
function body(code: string, head = "async function f() "): string {
  const result = generated(`${head}{ ${code} }`);
  const [, inner = result] = /try\{ (.*) \}finally\{\$x\(F1\)\}\}$/s.exec(result) ?? [];
  return inner;
}

describe("functions", () => {
  it("enter a frame after their directives and leave it in any case", () => {
    assert.equal(
      generated("async function f() { await 1 }"),
      "async function f() {const F1=$e(S0);try{ $r(F1,await $a(F1,0, 1)) }finally{$x(F1)}}",
    );
    assert.equal(
      generated(`async () => { "use strict"; await 1 }`),
      `async () => { "use strict";;const F1=$e(S0);try{ $r(F1,await $a(F1,0, 1)) }finally{$x(F1)}}`,
    );
  });

  it("of the file itself are told to the runtime, so that awaits of their calls need no promise more", () => {
    const code = "async function a() { await 1 }\nexport const b = async () => { await a(); };\nconst c = 1";
    const result = transform(code, { id: "a.js", format: "module", runtime: "rt" })?.code ?? "";
    assert.match(result, /"rt";__mw\.o\(a\);async function a/);
    assert.match(result, /await __mw\.k\(__mwf1,1,a, a\(\)\)/);
    assert.match(result, /\n.*\};;__mw\.o\(b\);\nconst c/);
    for (const left of ["await a.b()", "await a?.()", "await eval(1)", "await (0, a)()", "await new A()"]) {
      assert.match(body(left), /await \$a\(F1,0/, left);
    }
    assert.doesNotMatch(generated("let a = async () => await 1"), /\$o/);
    assert.doesNotMatch(generated("{ async function a() { await 1 } }"), /\$o/);
    assert.doesNotMatch(generated("async function* a() { await 1 }"), /\$o/);
  });

  it("that are bodies or jobs are marked, alone and in a list", () => {
    assert.match(
      body("await 1; gather([() => 1, async () => 2, x, , ...y])"),
      /gather\(\[\$l\(F1,\(\) => 1\), async \(\) => 2, x, , \.\.\.y\]\)/,
    );
    assert.match(body("await 1; x = timeout(5, () => 1)"), /timeout\(5, \$l\(F1,\(\) => 1\)\)/);
    assert.match(body("await 1; x = group.createTask(() => 1)"), /createTask\(\$l\(F1,/);
    assert.match(body("await 1; f([() => 1])"), /f\(\[\(\) => 1\]\)/);
    assert.match(body("await 1; x = [() => 1]"), /x = \[\(\) => 1\]/);
  });

  it("that settle a promise are given away without a mark", () => {
    assert.match(
      body("await new Promise((done) => setTimeout(done, 1))"),
      /new Promise\(\(done\) => setTimeout\(done, 1\)\)/,
    );
    assert.match(body("await new Promise(queueMicrotask)"), /new Promise\(queueMicrotask\)/);
    assert.match(body("await new Thing(done)"), /new Thing\(\$q\(F1,done\)\)/);
  });

  it("with an expression as their body return it", () => {
    assert.equal(
      generated("x = async () => /* a */ (await 1)"),
      "x = async () => /* a */ {const F1=$e(S0);try{return(($r(F1,await $a(F1,0, 1))))}finally{$x(F1)}}",
    );
  });

  it("that never wait are left alone", () => {
    assert.equal(generated("async function f() {} async () => 1; async function* g() { return 1 }"), "unchanged");
    assert.equal(
      generated("async () => { const f = async () => await 1; }"),
      "async () => { const f = async () => {const F1=$e(S0);try{return($r(F1,await $a(F1,0, 1)))}finally{$x(F1)}}; }",
    );
  });

  it("tell the frame of the function they are written in, through any that has none", () => {
    const code = generated("async () => { await 1; class A { m() { return async () => await 2 } } }");
    assert.match(code, /const F2=\$e\(S1,F1\)/);
  });

  it("in a parameter do not name the frame of that function", () => {
    const code = generated("async () => { await 0; async (a = async () => await 1) => await a }");
    assert.match(code, /a = async \(\) => \{const F2=\$e\(S1,F1\)/);
    assert.match(code, /=> \{const F2=\$e\(S2,F1\)/);
  });

  it("whose body would mean something else as a block keep it", () => {
    assert.equal(
      generated("async (a) => { function a() {} await 1 }"),
      "async (a) => {using F1=$e(S0); function a() {} $r(F1,await $a(F1,0, 1)) }",
    );
    for (const kept of [
      "function a() {} var a",
      "function a() {} function a() {}",
      "function a() {} { var [a] = [] }",
      "function a() {} eval('')",
      "function a() {} { function a() {} }",
      "l: function a() {} var a",
    ]) {
      assert.match(generated(`async () => { ${kept}; await 1 }`, "a.cjs", "commonjs"), /\{using F1=/, kept);
    }
    for (const wrapped of [
      "function a() {} var b",
      "var a, a",
      "function a() { var a; function b() {} }",
      "{ function a() {} function a() {} }",
    ]) {
      assert.match(generated(`async () => { ${wrapped}; await 1 }`, "a.cjs", "commonjs"), /\{const F1=/, wrapped);
    }
  });

  it("that dispose are cleanup from their first line", () => {
    const begin = /const F1=\$e\(S0\);F1\.c=1;try\{/;
    assert.match(generated("x = { async [Symbol.asyncDispose]() { await 1 } }"), begin);
    assert.match(generated("x = { [Symbol.asyncDispose]: async () => await 1 }"), begin);
    assert.match(generated("class A { async [Symbol.asyncDispose]() { await 1 } }"), begin);
    assert.match(generated("class A { [Symbol.asyncDispose] = async () => await 1 }"), begin);
    assert.match(generated("x[Symbol.asyncDispose] = async () => await 1"), begin);
    assert.doesNotMatch(generated("x = { async [Symbol.asyncIterator]() { await 1 } }"), begin);
  });
});

describe("waits", () => {
  it("are told before and after", () => {
    assert.equal(
      body("return await a + await (b, c)"),
      "return $r(F1,await $a(F1,0, a)) + $r(F1,await $a(F1,1, (b, c)))",
    );
    assert.equal(body("await /* c */ await[1]"), "$r(F1,await $a(F1,0, /* c */ $r(F1,await $a(F1,1,[1]))))");
  });

  it("keep types where they were", () => {
    assert.equal(
      body("(await a)!; (await b) as C; <D>await e!"),
      "($r(F1,await $a(F1,0, a)))!; ($r(F1,await $a(F1,1, b))) as C; <D>$r(F1,await $a(F1,2, e!))",
    );
  });

  it("of a loop are told at its source, in its body and after it", () => {
    assert.equal(body("for await (const x of y) { x }"), "{for await (const x of $it(F1,0,y)) {$c2(F1); x }$c2(F1);}");
    assert.equal(body("for await (x of (y, z)) x"), "{for await (x of $it(F1,0,(y, z))) {$c2(F1);x}$c2(F1);}");
    assert.equal(
      body("if (a) for await (x of y); else b"),
      "if (a) {for await (x of $it(F1,0,y)){$c2(F1);;}$c2(F1);} else b",
    );
  });

  it("of a loop with labels have the braces around the first label", () => {
    assert.equal(
      body("a: b: for await (x of y) { continue a }"),
      "{a: b: for await (x of $it(F1,0,y)) {$c2(F1); continue a }$c2(F1);}",
    );
  });

  it("of `await using` have a guard on either side; those of a loop's head stand in its body, or before it", () => {
    assert.equal(
      body("await using x = y; using z = y"),
      "using G1=$u(F1);await using x = y;;using G2=$v(G1); using z = y",
    );
    const guarded = (text: string): string => `using G1=$u(F1);await using ${text};using G2=$v(G1);`;
    assert.equal(body("for (await using x of y) z"), `for (const G3 of y) {${guarded("x=G3")}z}`);
    assert.equal(body("for (await using x of y) { z }"), `for (const G3 of y) {${guarded("x=G3")}{ z }}`);
    assert.equal(
      body("for await (await using x of y) z"),
      `{for await (const G3 of $it(F1,0,y)) {$c2(F1);${guarded("x=G3")}z}$c2(F1);}`,
    );
    assert.equal(
      body("for (\nawait using x = y; a; b) z"),
      `{\nusing G1=$u(F1);await using x = y;using G2=$v(G1);;for (; a; b) z}`,
    );
    assert.equal(body("l: for (await using x = y; a; b) z"), "l: for (await using x = y; a; b) z");
    assert.equal(body("for (await using x of [x]) z"), "for (await using x of [x]) z");
  });

  it("of an async generator are told at each yield, and at what it returns", () => {
    const code = (text: string): string => body(text, "async function* f() ");
    assert.equal(code("yield"), "$y(F1,yield $z(F1,0))");
    assert.equal(code("x = [yield, yield a]"), "x = [$y(F1,yield $z(F1,0)), $y(F1,yield $z(F1,1, a))]");
    assert.equal(code("yield* /* c */ a; yield*a"), "$y(F1,yield* $d(F1,0, /* c */ a)); $y(F1,yield* $d(F1,1,a))");
    assert.equal(code("yield 1; return (a, b)"), "$y(F1,yield $z(F1,0, 1)); return $a(F1,1, (a, b))");
    assert.equal(body("await 1; return a"), "$r(F1,await $a(F1,0, 1)); return a");
  });

  it("of a sync generator inside are its own", () => {
    assert.equal(body("await 1; function* g() { yield 1 }"), "$r(F1,await $a(F1,0, 1)); function* g() { yield 1 }");
  });
});

describe("cleanup", () => {
  it("is marked while it runs, and once around nested blocks", () => {
    assert.equal(
      body("try { await 1 } catch { a } finally { b }"),
      "try {F1.c=0; $r(F1,await $a(F1,0, 1)) } catch {$c(F1);F1.c=1; a ;F1.c=0;} finally {$c(F1);F1.c=1; b ;F1.c=0;}",
    );
    assert.equal(
      body("await 1; try {} catch { try {} finally {} }"),
      "$r(F1,await $a(F1,0, 1)); try {F1.c=0;} catch {$c(F1);F1.c=1; try {} finally {$c(F1);F1.c=1;} ;F1.c=0;}",
    );
  });

  it("ends where a jump leaves it", () => {
    assert.match(
      body("await 1; for (;;) try {} catch { if (a) break; else continue }"),
      /if \(a\) \{F1\.c=0;break;\} else \{F1\.c=0;continue\}/,
    );
    assert.doesNotMatch(
      body("await 1; try {} catch { for (;;) { break } a: for (;;) continue a; switch (b) { case 1: break } }"),
      /c=0;(break|continue)/,
    );
    assert.match(body("await 1; a: { try {} finally { break a } }"), /\{F1\.c=0;break a\}/);
  });

  it("is nothing special in functions without a frame", () => {
    assert.equal(body("await 1; () => { try {} catch {} }"), "$r(F1,await $a(F1,0, 1)); () => { try {} catch {} }");
  });
});

describe("calls", () => {
  it("hand on what may be a function with its frame", () => {
    assert.equal(
      body("await 1; x = f(a, a.b, g(), () => 1, function () {}, a ? b : c, (a, b))"),
      "$r(F1,await $a(F1,0, 1)); x = f($q(F1,a), $q(F1,a.b), $q(F1,g()), $q(F1,() => 1), $q(F1,function () {}), $q(F1,a ? b : c), $q(F1,(a, b)))",
    );
    assert.equal(body("await 1; x = new A(a as B)"), "$r(F1,await $a(F1,0, 1)); x = new A($q(F1,a as B))");
  });

  it("leave alone what is none, what is async, and what an array calls at once", () => {
    const code =
      "x = f(1, 's', `t`, {}, [], async () => 1, ...a, undefined, !a, a + b); y.map((z) => z); y.sort?.(function () {}); eval(a)";
    assert.ok(body(`await 1; ${code}`).includes(code.split("; eval")[0]?.split("; y.")[0] ?? "none"));
    assert.match(body("await 1; x = y.map((z) => z)"), /x = y\.map\(\(z\) => z\)$/);
    assert.match(body("await 1; x = y.map(z)"), /x = y\.map\(\$q\(F1,z\)\)$/);
  });

  it("in plain functions hand on for the instrumented one around them", () => {
    assert.equal(
      body("await 1; () => { x = f(a) }; g = { m() { x = f(a) } }"),
      "$r(F1,await $a(F1,0, 1)); () => { x = f($q(F1,a)) }; g = { m() { x = f($q(F1,a)) } }",
    );
  });

  it("that are a statement in a function may have forgotten their await", () => {
    const code = (text: string): string =>
      generated(`/* async */ function f() { ${text} }`).replace(/^.*?\{ (.*) \}$/, "$1");
    assert.equal(
      code("f(); a.b(); a?.b(1); if (a) (f())"),
      `$s(f(),"f",W0,f); $t(a.b(),"b",W1,a); $t(a?.b(1),"b",W2,a); if (a) $s((f()),"f",W3,f)`,
    );
    for (const other of [
      "void f()",
      "p.then(f)",
      "p.catch()",
      "a[0]()",
      "import('a')",
      "x = f()",
      "new A()",
      "(() => 1)()",
      "f``",
      "eval('')",
    ]) {
      assert.equal(generated(`/* async */ function f() { ${other} }`), "unchanged", other);
    }
  });

  it("that are a statement of the module are left alone", () => {
    assert.equal(generated("/* async */ f(); class A { static { f() } }"), "unchanged");
  });
});

describe("the head", () => {
  const transformed = (code: string, format: "module" | "commonjs" = "module"): string =>
    transform(code, { id: "a.js", format, runtime: "rt" })?.code ?? "";

  it("stands on the line of the first token", () => {
    assert.match(
      transformed("#!/usr/bin/env node\n// licence\n\nexport const f = async () => await 1"),
      /^#!.*\n\/\/ licence\n\nimport\{runtime as __mw\}from "rt";export const f/,
    );
    assert.match(
      transformed("exports.f = async () => await 1", "commonjs"),
      /^const __mw=globalThis\[Symbol\.for\("meanwhile\.frames"\)\];exports\.f/,
    );
  });

  it("leaves the table of the places to a line behind the last, as engines print the line of an error", () => {
    assert.match(
      transformed("const f = async () => await 1; // f\n//# sourceMappingURL=a.map"),
      /\n\/\/# sourceMappingURL=a\.map\nvar __mws;function __mwt\(\)\{return __mws\?\?=__mw\.file\(\{.*\}\)\}$/,
    );
  });

  it("of CommonJS asks for the runtime, or finds it", () => {
    const code = "exports.f = async () => await 1";
    const options = { id: "a.cjs", format: "commonjs", runtime: "rt" } as const;
    assert.match(transform(code, options)?.code ?? "", /^const __mw=globalThis\[Symbol\.for\("meanwhile\.frames"\)\];/);
    const asked = transform(code, { ...options, requiresRuntime: true })?.code ?? "";
    assert.match(asked, /^const\{runtime:__mw\}=require\("rt"\);/);
  });

  it("stands after directives, and before decorators", () => {
    assert.match(transformed(`"use client"\n'b'\nasync () => await 1`), /^"use client"\n'b';import\{runtime as __mw/);
    assert.match(
      transformed("@dec export class A { async m() { await 1 } }"),
      /^import\{.*\}from "rt";@dec export class/,
    );
    assert.match(transformed("export @dec class A { async m() { await 1 } }"), /^import.*"rt";export @dec class/);
  });

  it("has other names where the source uses these", () => {
    assert.match(
      transformed("const __mwx = async () => await 1"),
      /^import\{runtime as __mw1_\}from "rt";.*\nvar __mw1_s;/s,
    );
  });

  it("lists functions by name and waits by place", () => {
    const code = `const a = async () => await 1;\nclass A {\n  async m() { for await (const x of y) f(  {\n a: 1 }) }\n static #p = async () => await 1; }\nx.y = async function* () { yield "a string that is much too long to be shown" };\n({ async "a b"() { await 1 }, async [z]() { await 1 } });\n[async () => await 1]; export default async () => await 1`;
    const [, table = "{}"] = /__mw\.file\((\{.*?\})\)\}/.exec(transformed(code)) ?? [];
    assert.deepEqual(JSON.parse(table), {
      "meanwhile.frames": 1,
      id: "a.js",
      functions: [
        ["a", 1, 11],
        ["A.m", 3, 3],
        ["A.#p", 5, 14],
        ["y", 6, 7],
        ["a b", 7, 4],
        ["[z]", 7, 31],
        ["<anonymous>", 8, 2],
        ["default", 8, 39],
      ],
      waits: [
        [1, 23, "await", "1"],
        [3, 15, "for await", "y"],
        [3, 40, "call", "f( { a: 1 })"],
        [5, 26, "await", "1"],
        [6, 28, "yield", '"a string that is much too long to be sh'],
        [7, 20, "await", "1"],
        [7, 45, "await", "1"],
        [8, 14, "await", "1"],
        [8, 51, "await", "1"],
      ],
    });
  });
});

describe("a module that waits", () => {
  it("has a frame of its own, which its functions can name", () => {
    assert.equal(
      generated("await 1\nconst f = async () => await f(g) // end"),
      "var F0=$e(S0);using G0=F0;$r(F0,await $a(F0,0, 1))\nconst f = async () => {const F1=$e(S1,F0);try{return($r(F1,await $k(F1,1,f, f($q(F1,g)))))}finally{$x(F1)}};$o(f); // end",
    );
  });

  it("is left after what it disposes", () => {
    assert.equal(
      generated("await using x = y"),
      "var F0=$e(S0);using G0=F0;using G1=$u(F0);await using x = y;using G2=$v(G1);",
    );
  });
});
