// Programs of files, which are loaded as modules, CommonJS or TypeScript.

export const PROGRAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "top-level await": {
    "program.mjs": `export const a = await later(1); export default await later(2); export { a as b }`,
  },
  "top-level await that throws": { "program.mjs": `log("begin"); await fail("no"); log("never");` },
  "top-level try, loops and using": {
    "program.mjs": `try { await fail("x") } catch (e) { log(e.message) } finally { log("finally") }\nfor await (const x of [1, 2]) log(x, line())\nawait using d = { async [Symbol.asyncDispose]() { log("disposed") } }\nlog("end") // last`,
  },
  "functions of a module that waits": {
    "program.mjs": `const f = async (x) => (await later(x), line()); export const r = await Promise.all([1, 2].map(f)); await Promise.all([1].map((x) => f(x)));`,
  },
  "hoisted functions of modules that import each other": {
    "program.mjs": `import { b } from "./b.mjs"; export async function a() { await 1; return "a"; } function drop() { log("dropped"); } export function sync() { drop(); return 1; } export const got = await b;`,
    "b.mjs": `import { a, sync } from "./program.mjs"; log(sync()); export const b = a(); export async function other() { await 1; }`,
  },
  "hoisted functions of a module with top-level await": {
    "program.mjs": `import { b } from "./b.mjs"; export async function a() { const inner = async () => await 2; return [await inner(), await 1]; } export const got = await b; export default async () => await 1`,
    "b.mjs": `import { a } from "./program.mjs"; export const b = a();`,
  },
  "a hashbang, and no newline at the end": {
    "program.mjs": `#!/usr/bin/env node\n// licence\nexport const a = await later(line())`,
  },
  "directives of a module": {
    "program.mjs": `"use client"\nimport { join } from "node:path"\nexport const a = async () => await join("a", "b")\nexport const b = await a()`,
  },
  "default exports": {
    "program.mjs": `import f from "./f.mjs"; import G from "./g.mjs"; import h from "./h.mjs"; export const a = [f.name, await f(), G.name, await new G().m(), h.name, await h()];`,
    "f.mjs": `export default async function () { return await 1; }`,
    "g.mjs": `export default class { async m() { return await 2; } }`,
    "h.mjs": `export default async () => await 3`,
  },
  "this and import.meta": {
    "program.mjs": `export const t = typeof this, m = typeof import.meta.url, main = import.meta.main; await (async () => { await 1; log(typeof this, import.meta.url.slice(0, 5)); })()`,
  },
  "live bindings": {
    "program.mjs": `import { n, add } from "./n.mjs"; log(n); await add(); log(n);`,
    "n.mjs": `export let n = 1; export async function add() { n += await 1; }`,
  },
  "await in export and import()": {
    "program.mjs": `export const { join } = await import("node:path"); export class A extends (await later(Map)) {} log(new A().size)`,
  },
  CommonJS: {
    "program.cjs": `"use strict"\nconst { f } = require("./f.cjs"); f(2).then((v) => log(v)).then(() => {}); exports.n = __filename.length > 1; log(this === exports); f(3).then((v) => log(v)).then(() => {});`,
    "f.cjs": `exports.f = async (x) => { await 1; return [x, typeof require, line()]; }; return;`,
  },
  "CommonJS files that require each other": {
    "program.cjs": `exports.early = early; async function early() { await 1; return "early"; } const b = require("./b.cjs"); exports.b = typeof b.got;`,
    "b.cjs": `const a = require("./program.cjs"); exports.got = a.early().then(log); `,
  },
  types: {
    "program.mts": `type Url = string; interface A<T> { m(x: T): Promise<T> }
class B<T> implements A<T> { private readonly n: number = 1; declare z: string; async m<U>(this: B<T>, x: T, ...rest: U[]): Promise<T> { return (await later(x))!; } async n2(): Promise<number> { return await (this.n as number) satisfies number; } }
async function over(a: string): Promise<string>; async function over(a: number): Promise<number>;
async function over(a: unknown): Promise<unknown> { return await a; }
const arrow = async <T,>(x: T, f: (y: T) => void = () => {}): Promise<{ a: T }> => ({ a: (await x) as T });
const guard = async (x?: Url, y: () => void = () => {}): Promise<() => void> => (await x, y);
export const all = [await new B<number>().m(1), await over("x"), await arrow<number>(2), typeof (await guard()), await new B().n2()!];
for await (const x of [1, 2] as const) log(x as number, line());
abstract class C { abstract m(): void; async k(cb: (x: number) => void): Promise<void> { cb(await later(1)); [1].forEach((x: number): void => log(x)); } }
class D extends C { override m(): void {} }
await new D().k(<any>log);
export type { Url };
export type Last = A<string>`,
  },
  "CommonJS with types": {
    "program.cts": `const f = async (x: number): Promise<number> => await (x as number);\nf(1).then((v) => log(v)); type A = 1`,
  },
};
