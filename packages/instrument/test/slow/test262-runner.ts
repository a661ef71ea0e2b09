// Runs tests of test262 as they are and transformed, each in a realm of its own, and tells which end differently.
// A process of its own, as it needs --experimental-vm-modules: test262-runner.ts CHECKOUT SHARD SHARDS [RUNTIME].

import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { createContext, type Context, type Module, Script, SourceTextModule, SyntheticModule } from "node:vm";

import { transform, TransformError } from "../../src/index.ts";
import { passThroughRuntime } from "../transform/pass-through.ts";

// Plain functions may still hand on functions when the async function around them has ended; the runtime knows that.
function passThrough(): unknown {
  const given = <T>(_frame: unknown, value: T): T => value;
  return { ...passThroughRuntime(), q: given, l: given };
}

const FRAMES = Symbol.for("meanwhile.frames");
const RUNTIME = "meanwhile:runtime";
const MOST_TURNS = 20;
const [checkout = "", shard = "0", shards = "1", runtimeFile] = process.argv.slice(2);

interface Test {
  readonly path: string;
  readonly code: string;
  readonly flags: ReadonlySet<string>;
  readonly includes: ReadonlyArray<string>;
  readonly isStrict: boolean;
}

/** What a run needs to know of the realm it is in. */
interface Realm {
  readonly context: Context;
  readonly runtime: unknown;
  readonly isTransformed: boolean;
  readonly printed: string[];
  readonly modules: Map<string, Promise<Module>>;
}

function listOf(head: string, key: string): string[] {
  const [, inline, lines = ""] = new RegExp(`^${key}: *(?:\\[([^]*?)\\]|\\n((?: *- .*\\n)+))`, "m").exec(head) ?? [];
  return (inline ?? lines.replaceAll("- ", ",")).split(",").flatMap((word) => word.trim() || []);
}

function testsOf(path: string): Test[] {
  const code = readFileSync(join(checkout, path), "utf8");
  if (!/\b(?:async|await)\b/.test(code.replace(/\/\*---[^]*?---\*\//, ""))) return [];
  const head = `${/\/\*---\n([^]*?)---\*\//.exec(code)?.[1] ?? ""}\n`;
  const flags = new Set(listOf(head, "flags"));
  const test = { path, code, flags, includes: listOf(head, "includes"), isStrict: false };
  if (flags.has("module") || flags.has("raw") || flags.has("noStrict")) return [test];
  const strict = { ...test, code: `"use strict";\n${code}`, isStrict: true };
  return flags.has("onlyStrict") ? [strict] : [test, strict];
}

function edited(code: string, path: string, format: "module" | "commonjs", { isTransformed }: Realm): string {
  if (!isTransformed) return code;
  try {
    const result = transform(code, { id: path, format, runtime: RUNTIME, language: "js" });
    if (result !== null) changed.add(path);
    return result?.code ?? code;
  } catch (error) {
    if (error instanceof TransformError) return code;
    throw error;
  }
}

const scripts = new Map<string, Script>();

function harness(name: string): Script {
  const known = scripts.get(name);
  if (known !== undefined) return known;
  const script = new Script(readFileSync(join(checkout, "harness", name), "utf8"), { filename: name });
  scripts.set(name, script);
  return script;
}

function realmFor(runtime: unknown, isTransformed: boolean): Realm {
  const printed: string[] = [];
  const context = createContext({ print: (text: unknown) => printed.push(String(text)), setTimeout });
  const realm = { context, runtime, isTransformed, printed, modules: new Map<string, Promise<Module>>() };
  Object.defineProperty(new Script("globalThis").runInContext(context), FRAMES, { value: runtime });
  context["$262"] = {
    global: new Script("globalThis").runInContext(context),
    createRealm: () => realmFor(runtime, isTransformed).context["$262"],
    evalScript: (code: string) => new Script(code).runInContext(context),
    detachArrayBuffer: (buffer: ArrayBuffer) => void structuredClone(buffer, { transfer: [buffer] }),
    gc: () => undefined,
    agent: {},
  };
  return realm;
}

function load(specifier: string, from: string, realm: Realm): Promise<Module> {
  if (specifier === RUNTIME) {
    const { context } = realm;
    const reach = new SyntheticModule(["runtime"], () => reach.setExport("runtime", realm.runtime), { context });
    return Promise.resolve(reach);
  }
  const path = join(dirname(from), specifier);
  const known = realm.modules.get(path);
  if (known !== undefined) return known;
  const made = (async () => moduleOf(readFileSync(join(checkout, path), "utf8"), path, realm))();
  realm.modules.set(path, made);
  return made;
}

function moduleOf(code: string, path: string, realm: Realm): Module {
  return new SourceTextModule(edited(code, path, "module", realm), {
    context: realm.context,
    identifier: path,
    importModuleDynamically: (specifier) => imported(specifier, path, realm),
  });
}

async function imported(specifier: string, from: string, realm: Realm): Promise<Module> {
  const module = await load(specifier, from, realm);
  if (module.status === "unlinked") await module.link((name, { identifier }) => load(name, identifier, realm));
  if (module.status === "linked") await module.evaluate();
  return module;
}

async function begin({ code, path, flags }: Test, realm: Realm): Promise<void> {
  if (flags.has("module")) {
    const module = moduleOf(code, path, realm);
    realm.modules.set(path, Promise.resolve(module));
    await module.link((name, { identifier }) => load(name, identifier, realm));
    await module.evaluate();
    return;
  }
  const script = new Script(edited(code, path, "commonjs", realm), {
    filename: path,
    importModuleDynamically: (specifier) => imported(specifier, path, realm),
  });
  script.runInContext(realm.context);
}

/** How a test ends: its error, or what it printed. */
async function endOf(test: Test, runtime: unknown, isTransformed: boolean): Promise<string> {
  const realm = realmFor(runtime, isTransformed);
  const files = test.flags.has("raw") ? [] : ["assert.js", "sta.js", ...test.includes];
  if (test.flags.has("async")) files.push("doneprintHandle.js");
  let end = "";
  const take = (error: unknown): void => {
    end ||= `thrown ${String(Reflect.get(Object(error), "name"))}: ${String(Reflect.get(Object(error), "message"))}`;
  };
  process.once("uncaughtException", take);
  try {
    for (const file of files) harness(file).runInContext(realm.context);
    await Promise.race([begin(test, realm), turns(() => false)]);
    await turns(() => end !== "" || !test.flags.has("async") || realm.printed.length > 0);
  } catch (error) {
    take(error);
  }
  process.removeListener("uncaughtException", take);
  return [end, ...realm.printed].filter((text) => text !== "").join("\n");
}

async function turns(isOver: () => boolean): Promise<void> {
  for (let count = 0; count < MOST_TURNS && !isOver(); count += 1) await turn();
}

const changed = new Set<string>();
// A test may leave a promise rejected; so it does both times.
process.on("unhandledRejection", () => undefined);
const runtime: unknown =
  runtimeFile === undefined ? passThrough() : ((await import(runtimeFile)) as { runtime: unknown }).runtime;
const paths = globSync(["test/language/**/*.js", "test/built-ins/Async*/**/*.js"], { cwd: checkout }).toSorted();
const mine = paths.filter((path, index) => index % Number(shards) === Number(shard) && !path.includes("_FIXTURE"));
const figures = { tests: 0, runs: 0, completed: 0, transformed: 0, differing: new Array<string>() };
for (const path of mine) {
  const tests = testsOf(path);
  figures.tests += tests.length === 0 ? 0 : 1;
  for (const test of tests) {
    const plain = await endOf(test, runtime, false);
    const instrumented = await endOf(test, runtime, true);
    figures.runs += 1;
    if (plain === "" || plain === "Test262:AsyncTestComplete") figures.completed += 1;
    const mode = test.isStrict ? " (strict)" : "";
    if (plain !== instrumented)
      figures.differing.push(`${path}${mode}: ${plain || "fine"} → ${instrumented || "fine"}`);
  }
}
figures.transformed = changed.size;
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
