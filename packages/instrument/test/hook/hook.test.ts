// The load hook: which files it reaches, which it leaves alone, and beside whom it works.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { type Ended, Project, PROBE, REGISTER } from "../project.ts";

const TSX = ["--import", fileURLToPath(import.meta.resolve("tsx"))];
const TYPED = PROBE.replace("probe()", "probe(_?: number)");

const FILES: Readonly<Record<string, string>> = {
  "node_modules/dep/package.json": `{ "type": "module", "exports": "./index.js" }`,
  "node_modules/dep/index.js": `export ${PROBE}`,
  "node_modules/@acme/one/index.js": `exports.probe = ${PROBE}`,
  "node_modules/dep/node_modules/inner/index.js": `exports.probe = ${PROBE}`,
  "workspace/lib/index.js": `export ${PROBE}`,
  "workspace/lib/package.json": `{ "type": "module", "exports": "./index.js" }`,
  "esm.mjs": `export ${PROBE}`,
  "esm.mts": `export ${TYPED}`,
  "common.cjs": `exports.probe = ${PROBE}`,
  "common.cts": `exports.probe = ${TYPED}`,
  "typeless/package.json": "{}",
  "typeless/common.js": `exports.probe = ${PROBE}`,
  "typeless/common.ts": `exports.probe = ${TYPED}`,
  "typeless/esm.js": `export ${PROBE}`,
  "typeless/esm.ts": `export ${TYPED}`,
  "data.json": `{ "async": "await" }`,
  "asks.mts": `
    import { createRequire } from "node:module";
    import data from "./data.json" with { type: "json" };
    const require = createRequire(import.meta.url);
    const answers: Record<string, unknown> = { data: data.async };
    const wanted: string[] = process.argv.slice(2);
    for (const each of wanted) {
      const [how, what = ""] = each.split("=", 2);
      const loaded = how === "require" ? require(what) : await import(what);
      answers[each] = await loaded.probe();
    }
    console.log(JSON.stringify(answers));`,
};

function project(): Project {
  const made = new Project(FILES);
  made.link("node_modules/lib", made.path("workspace/lib"));
  return made;
}

const ESM = ["./esm.mjs", "./esm.mts"];
const COMMON = ["./common.cjs", "./common.cts"];
const imported = (names: readonly string[]): string[] => names.map((name) => `import=${name}`);
const required = (names: readonly string[]): string[] => names.map((name) => `require=${name}`);
const OWN = [...imported(ESM), ...imported(COMMON), ...required(ESM), ...required(COMMON)];

/** Which of the modules are instrumented. */
function answersOf({ stdout, stderr, exit }: Ended): Record<string, unknown> {
  assert.equal(exit, 0, stderr);
  const { data, ...answers } = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(data, "await");
  return answers;
}

function all(names: readonly string[], value: boolean): Record<string, boolean> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

describe("the load hook", () => {
  it("reaches ES modules and CommonJS, JavaScript and TypeScript, imported and required", async () => {
    using made = project();
    const wanted = [
      ...OWN,
      "import=./esm.mjs?query=1#hash",
      "import=./esm.mts?query",
      "import=lib",
      `import=data:text/javascript,export ${PROBE.replaceAll("=", "%3D")}`,
    ];
    const ended = await made.node([...REGISTER, "asks.mts", ...wanted]);
    assert.deepEqual({ ...answersOf(ended), stderr: ended.stderr }, { ...all(wanted, true), stderr: "" });
  });

  it("reaches files of which no package.json says what they are", async () => {
    using made = project();
    const names = ["common.js", "common.ts", "esm.js", "esm.ts"].map((name) => `./typeless/${name}`);
    for (const wanted of [imported(names), required(names)]) {
      const ended = await made.node(["--no-warnings=MODULE_TYPELESS_PACKAGE_JSON", ...REGISTER, "asks.mts", ...wanted]);
      assert.deepEqual(answersOf(ended), all(wanted, true));
      assert.doesNotMatch(ended.stderr, /MW_WARN/);
    }
  });

  it("leaves packages alone, but for those that are named", async () => {
    using made = project();
    const wanted = ["import=dep", "require=dep", "import=@acme/one", "require=./node_modules/dep/node_modules/inner"];
    const [dep, requiredDep, acme, inner] = wanted as [string, string, string, string];
    for (const [MEANWHILE_INSTRUMENT_PACKAGES, reached] of [
      ["", []],
      ["dep", [dep, requiredDep]],
      [" @acme/* , inner", [acme, inner]],
      ["@acme/one", [acme]],
    ] as const) {
      const ended = await made.node([...REGISTER, "asks.mts", ...wanted], { env: { MEANWHILE_INSTRUMENT_PACKAGES } });
      assert.deepEqual(answersOf(ended), { ...all(wanted, false), ...all(reached, true) });
    }
  });

  it("does nothing when it is switched off", async () => {
    using made = project();
    const ended = await made.node([...REGISTER, "asks.mts", ...OWN], { env: { MEANWHILE_INSTRUMENT: "off" } });
    assert.deepEqual(answersOf(ended), all(OWN, false));
  });

  it("never changes the runtime itself", async () => {
    using made = project();
    const { stdout } = await made.node([...REGISTER, "--input-type=module"], {
      input: `import { timeout } from "meanwhile"; console.log(timeout.toString().includes("__mw"))`,
    });
    assert.equal(stdout, "false\n");
  });

  it("says once that a file has a mistake, in every run, and leaves the error to Node", async () => {
    using made = new Project({
      "bad.ts": "async function f() {\n  await 1; let x = ;\n}",
      "program.mjs": `await import("./bad.ts").catch(({ name }) => console.log(name))`,
    });
    for (const _ of [1, 2]) {
      const { stdout, stderr } = await made.node([...REGISTER, "program.mjs"]);
      assert.equal(stdout, "SyntaxError\n");
      assert.equal(stderr.match(/MW_WARN_NOT_INSTRUMENTED/g)?.length, 1);
      assert.match(stderr, /Cannot instrument \/\S*\/bad\.ts:2:20: [^:]*; it runs as it is/);
    }
  });

  it("is in workers and forked processes too", async () => {
    using made = new Project({
      "worker.cts": `const { parentPort } = require("node:worker_threads"); exports.f = ${TYPED}; exports.f().then((is: boolean) => parentPort.postMessage(is));`,
      "program.ts": `
        import { fork } from "node:child_process";
        import { once } from "node:events";
        import { Worker } from "node:worker_threads";
        ${TYPED}
        if (process.argv[2] === "forked") process.send!(await probe());
        else {
          const worker = new Worker(new URL("./worker.cts", import.meta.url));
          const child = fork(import.meta.filename, ["forked"]);
          console.log((await Promise.all([once(worker, "message"), once(child, "message")])).map(([is]) => is));
        }`,
    });
    const { stdout, stderr } = await made.node([...REGISTER, "program.ts"]);
    assert.deepEqual({ stdout, stderr }, { stdout: "[ true, true ]\n", stderr: "" });
  });
});

describe("the entry of the program", () => {
  const files = {
    "outer.mjs": `await import("./" + process.argv[2]);`,
    "entry.ts": `${TYPED} console.log(import.meta.main, await probe());`,
    "entry.cjs": `${PROBE} probe().then((is) => console.log(require.main === module, is));`,
  };

  for (const name of ["entry.ts", "entry.cjs"]) {
    it(`is the main module, instrumented or not: ${name}`, async () => {
      using made = new Project(files);
      const ends: string[] = [];
      for (const MEANWHILE_INSTRUMENT of ["on", "entry", "off"]) {
        const env = { MEANWHILE_INSTRUMENT, MEANWHILE_INSTRUMENT_ENTRY: new URL(name, `file://${made.folder}/`).href };
        ends.push((await made.node([...REGISTER, "outer.mjs", name], { env })).stdout);
      }
      assert.deepEqual(ends, ["true true\n", "true false\n", "false false\n"]);
    });
  }

  it("is no main module in the processes that the program starts", async () => {
    using made = new Project({
      "child.mjs": `import "./entry.mjs";`,
      "entry.mjs": `
        import { fork } from "node:child_process";
        console.log(import.meta.main);
        if (import.meta.main) fork("./child.mjs");`,
      "outer.mjs": `await import("./entry.mjs");`,
    });
    const env = { MEANWHILE_INSTRUMENT_ENTRY: new URL("entry.mjs", `file://${made.folder}/`).href };
    assert.equal((await made.node([...REGISTER, "outer.mjs"], { env })).stdout, "true\nfalse\n");
  });
});

describe("beside other loaders the hook", () => {
  const OTHERS: Readonly<Record<string, string>> = {
    "sync.mjs": `
      import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => next(url, context) });`,
    "thread.mjs": `
      import { register } from "node:module";
      register("data:text/javascript,export const load = (url, context, next) => next(url, context)");`,
    "extensions.cjs": `
      const { _extensions } = require("node:module");
      const { readFileSync } = require("node:fs");
      _extensions[".cjs"] = (module, file) => module._compile(readFileSync(file, "utf8") + "// changed", file);`,
    "compile.cjs": `
      const { _extensions } = require("node:module");
      const load = _extensions[".cjs"] ?? _extensions[".js"];
      _extensions[".cjs"] = (module, file) => {
        const { _compile } = module;
        module._compile = (code, ...rest) => _compile.call(module, code + "// changed", ...rest);
        load(module, file);
      };`,
  };
  const ways: ReadonlyArray<readonly [name: string, before: readonly string[], after: readonly string[]]> = [
    ["before the hooks of others", [], ["--import", "./sync.mjs"]],
    ["after the hooks of others", ["--import", "./sync.mjs"], []],
    ["before loaders on a thread of their own", [], ["--import", "./thread.mjs"]],
    ["after loaders on a thread of their own", ["--import", "./thread.mjs"], []],
    ["with a replaced require", ["--require", "./extensions.cjs"], []],
    ["with a require that is changed", ["--require", "./compile.cjs"], []],
    ["before tsx", [], TSX],
    ["after tsx", TSX, []],
  ];
  for (const [name, before, after] of ways) {
    it(`reaches everything: ${name}`, async () => {
      using made = project();
      made.write(OTHERS);
      const args = ["--no-deprecation", ...before, ...REGISTER, ...after, "asks.mts", ...OWN, "import=dep"];
      const ended = await made.node(args);
      assert.deepEqual(
        { ...answersOf(ended), stderr: ended.stderr },
        { ...all(OWN, true), "import=dep": false, stderr: "" },
      );
    });
  }
});

describe("under node --test the hook", () => {
  it("lets a test be cancelled at a foreign await, reports nothing, and keeps the lines of coverage", async () => {
    using made = new Project({
      "hang.ts": `export async function hang(): Promise<void> {
  try {
    await new Promise<void>(() => {});
  } finally {
    await 1;
  }
}
export function unused(): number {
  return 3;
}
`,
      "some.test.ts": `
        import assert from "node:assert/strict";
        import { EventEmitter } from "node:events";
        import { before, describe, it, test } from "node:test";
        import { run, timeout } from "meanwhile";
        import { hang } from "./hang.ts";
        async function later(): Promise<void> { await 1; }
        describe("a suite", () => {
          before(async () => { await 1; });
          it("cancels", async () => { await assert.rejects(run(() => timeout(200, hang)), { name: "TimeoutError" }); });
          it("calls back", async () => {
            await 1;
            const emitter = new EventEmitter();
            emitter.on("event", async () => { await 1; });
            emitter.emit("event");
            [1].forEach(async () => { await 1; });
            setImmediate(async () => { await 1; });
            later().catch(() => {});
            later().then(() => {}, () => {});
            later().finally(() => {}).then();
            void later();
          });
        });
        test("subtests", async (t) => { await t.test("one", later); t.test("two", later); });
        later();`,
    });
    const coverage = [
      "--enable-source-maps",
      "--experimental-test-coverage",
      "--test-coverage-include=hang.ts",
      "--test-reporter=tap",
    ];
    const { exit, stdout, stderr } = await made.node([...REGISTER, "--test", ...coverage, "some.test.ts"]);
    assert.equal(exit, 0, stdout);
    assert.doesNotMatch(stdout + stderr, /MW_WARN/);
    assert.match(stdout, /# hang\.ts +\| +80\.00 \|.*\| 9-10/);
  });
});

describe("coverage without source maps", () => {
  it("is said to be wrong", async () => {
    using made = new Project({ "some.test.mjs": "" });
    const { stdout, stderr } = await made.node([
      ...REGISTER,
      "--test",
      "--experimental-test-coverage",
      "some.test.mjs",
    ]);
    assert.match(stdout + stderr, /MW_WARN_UNMAPPED_COVERAGE.*add that option/);
  });
});

describe("in a Node that is too old", () => {
  const OLD = "/usr/bin/node";
  const isThere = existsSync(OLD) && existsSync(new URL("../../dist/register.js", import.meta.url));
  it("a warning says so, and the program runs", { skip: !isThere }, async (t) => {
    using made = new Project({ "program.mjs": `console.log(process.versions.node.split(".")[0])` });
    const { exit, stdout, stderr } = await made.node([...REGISTER, "program.mjs"], { node: OLD });
    if (Number(stdout) >= 24) return t.skip("the other Node is new");
    assert.equal(exit, 0);
    assert.match(stderr, /MW_WARN_NOT_INSTRUMENTED.*it runs in Node \d+\.\d+\.\d+; use Node 24 or newer/);
  });
});
