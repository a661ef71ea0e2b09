// Which calls are reported as forgotten, in a whole program.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Project, REGISTER } from "../project.ts";

/** The calls that are reported, as `function line`, in the order of the lines. */
async function reportedIn(body: string, isInRun = true): Promise<string[]> {
  using made = new Project({
    "node_modules/lib/package.json": `{ "type": "module", "exports": "./index.js" }`,
    "node_modules/lib/index.js": `export async function send() { await 1; } export const later = () => Promise.resolve();`,
    "library.mjs": `export async function imported() { await 1; }`,
    "program.mjs": `import { send, later } from "lib"; import { imported } from "./library.mjs"; import { run } from "meanwhile"; import { EventEmitter } from "node:events";
async function load() { return await Promise.resolve(1); }
async function save() { const loaded = await load(); return loaded; }
async function thin() { return load(); }
const arrow = async () => { await load(); };
class Db { async write() { await load(); } async #flush() { await load(); } flush() { this.#flush(); } }
const db = new Db();
async function main() {
${body}
await new Promise(setImmediate);
}
${isInRun ? "await run(main);" : "await main();"}
`,
  });
  const { stderr, exit } = await made.node([...REGISTER, "program.mjs"]);
  assert.equal(exit, 0, stderr);
  const reports = stderr.matchAll(/promise of "(.*)" was never awaited: called at \S*program\.mjs:(\d+):/g);
  return [...reports].map(([, name, line]) => `${name} ${line}`);
}

describe("a dropped promise is reported", () => {
  it("of functions, arrows and methods, whatever they call first, and of those that never wait", async () => {
    const calls = ["save();", "arrow();", "db.write();", "db?.write();", "imported();", "thin();", "db.flush();"];
    const names = ["save 9", "arrow 10", "Db.write 11", "Db.write 12", "imported 13", "thin 14", "Db.#flush 6"];
    assert.deepEqual(await reportedIn(calls.join("\n")), names);
  });

  it("where plain functions and callbacks call", async () => {
    const calls = "[1, 2].forEach(() => { save(); });\nconst plain = () => { arrow(); }; plain();";
    assert.deepEqual(await reportedIn(calls), ["save 9", "arrow 10"]);
  });

  it("outside of runs too, of functions of the file", async () => {
    assert.deepEqual(await reportedIn("save();\nthin();\narrow();", false), ["save 9", "thin 10", "arrow 11"]);
  });
});

describe("no dropped promise is reported", () => {
  it("if what is called may have kept it: a plain function of the same name", async () => {
    const calls = `
      class Inner { async start() { await load(); } }
      class Service { inner = new Inner(); start() { return (this.running = this.inner.start()); } }
      const service = new Service(); service.start(); await service.running;
      const add = async () => { await load(); };
      const queue = { all: [], add(job) { const promise = job(); this.all.push(promise); return promise; } };
      queue.add(add); await Promise.all(queue.all);`;
    assert.deepEqual(await reportedIn(calls), []);
  });

  it("if it is void, kept, returned, handled, or of a library", async () => {
    const calls = `
      void save();
      const kept = save();
      save().catch(() => {}); db.write().then(() => {}, () => {}); save().finally(() => {}).then();
      const given = () => save(); void given();
      await Promise.all([save(), kept]);
      send(); later(); Promise.resolve();
      const emitter = new EventEmitter(); emitter.on("event", async () => { await load(); }); emitter.emit("event");
      setImmediate(async () => { await load(); });
      [1].forEach(async () => { await load(); });
      { const save = () => { void load(); }; save(); }`;
    assert.deepEqual(await reportedIn(calls), []);
  });
});
