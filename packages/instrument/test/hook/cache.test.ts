// Transformed files on disk: when they are used, and when they are not.

import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

import { type Ended, type NodeOptions, Project, REGISTER } from "../project.ts";

const CACHE = "node_modules/.cache/meanwhile-instrument";
/** Says whether the parser had to be loaded, and that the code is instrumented. */
const PROGRAM = `
  async function main() {
    await 1;
    const hasParsed = process.report.getReport().sharedObjects.some((file) => file.includes("oxc"));
    console.log(hasParsed ? "parsed" : "cached", main.toString().includes("_" + "_mwf1="));
  }
  await main();`;

const project = (): Project => new Project({ "program.mjs": PROGRAM });

async function runs(made: Project, options?: NodeOptions): Promise<string> {
  const { stdout, stderr }: Ended = await made.node([...REGISTER, "program.mjs"], options);
  assert.equal(stderr, "");
  return stdout;
}

function entries(made: Project): string[] {
  return readdirSync(made.path(CACHE)).map((name) => join(made.path(CACHE), name));
}

describe("the cache", () => {
  it("saves the second run the parser, and is nobody else's", async () => {
    using made = project();
    assert.equal(await runs(made), "parsed true\n");
    assert.equal(await runs(made), "cached true\n");
    assert.equal(statSync(made.path(CACHE)).mode & 0o777, 0o700);
    for (const entry of entries(made)) assert.equal(statSync(entry).mode & 0o777, 0o600);
  });

  it("knows a file by its content and by how it is loaded", async () => {
    using made = project();
    await runs(made);
    made.write({ "program.mjs": `${PROGRAM}// changed` });
    assert.equal(await runs(made), "parsed true\n");
    const env = { MEANWHILE_INSTRUMENT_ENTRY: new URL("program.mjs", `file://${made.folder}/`).href };
    assert.equal(await runs(made, { env }), "parsed true\n");
    assert.equal(await runs(made), "cached true\n");
  });

  it("is not asked when it is switched off", async () => {
    using made = project();
    const env = { MEANWHILE_INSTRUMENT_CACHE: "off" };
    for (const _ of [1, 2]) assert.equal(await runs(made, { env }), "parsed true\n");
    assert.throws(() => entries(made), { code: "ENOENT" });
  });

  it("does not use what was damaged or cut off", async () => {
    using made = project();
    await runs(made);
    const [entry = ""] = entries(made);
    for (const damage of [
      () => truncateSync(entry, 100),
      () => writeFileSync(entry, ""),
      () => writeFileSync(entry, readFileSync(entry, "utf8").replace("await", "      ")),
      () => writeFileSync(entry, "console.log('not mine')"),
    ]) {
      damage();
      assert.equal(await runs(made), "parsed true\n");
      assert.equal(await runs(made), "cached true\n");
    }
  });

  it("is shared by processes that run at once", async () => {
    using made = project();
    const outputs = await Promise.all([1, 2, 3].map(() => runs(made)));
    for (const output of outputs) assert.match(output, /^(?:parsed|cached) true\n$/);
    assert.equal(entries(made).length, 1);
    assert.equal(await runs(made), "cached true\n");
  });

  it("forgets what is older than a month, and the oldest of too much", async () => {
    using made = project();
    mkdirSync(made.path(CACHE), { recursive: true, mode: 0o700 });
    const old = { days: 31, bytes: 1 };
    const kept = { days: 29, bytes: 1 };
    const large = { days: 1, bytes: 40 * 2 ** 20 };
    const tooMuch = { days: 2, bytes: 40 * 2 ** 20 };
    for (const [name, { days, bytes }] of Object.entries({ old, large, tooMuch })) {
      const file = made.path(join(CACHE, name));
      writeFileSync(file, "");
      truncateSync(file, bytes);
      utimesSync(file, new Date(), new Date(Date.now() - days * 24 * 3_600_000));
    }
    await runs(made);
    assert.deepEqual(
      readdirSync(made.path(CACHE)).filter((name) => !name.endsWith(".js")),
      ["large"],
    );
    assert.ok(kept.days < old.days);
  });
});

describe("without a cache that can be trusted a program runs all the same", () => {
  const parsesTwice = async (made: Project): Promise<void> => {
    for (const _ of [1, 2]) assert.equal(await runs(made), "parsed true\n");
  };
  const NOBODY = 65_534;

  it("if it cannot be made", async () => {
    using made = project();
    made.write({ "node_modules/.cache": "a file" });
    await parsesTwice(made);
  });

  it("if others may write there", async () => {
    using made = project();
    mkdirSync(made.path(CACHE), { recursive: true });
    chmodSync(made.path(CACHE), 0o777);
    await parsesTwice(made);
    assert.deepEqual(entries(made), []);
  });

  it("if it is a link to another place", async () => {
    using made = project();
    made.write({ "elsewhere/file": "" });
    made.link(CACHE, made.path("elsewhere"));
    await parsesTwice(made);
    assert.ok(lstatSync(made.path(CACHE)).isSymbolicLink());
    assert.deepEqual(entries(made).length, 1);
  });

  it("if it belongs to somebody else", { skip: process.getuid?.() !== 0 }, async () => {
    using made = project();
    mkdirSync(made.path(CACHE), { recursive: true, mode: 0o700 });
    chownSync(made.path(CACHE), NOBODY, NOBODY);
    await parsesTwice(made);
    assert.deepEqual(entries(made), []);
  });

  it("if it may not be written", async () => {
    using made = project();
    mkdirSync(made.path(CACHE), { recursive: true, mode: 0o700 });
    chmodSync(made.path(CACHE), 0o500);
    const output = await runs(made);
    assert.equal(output, "parsed true\n");
    chmodSync(made.path(CACHE), 0o700);
  });
});
