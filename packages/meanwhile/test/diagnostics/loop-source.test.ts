import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { isInIndependentLoop } from "../../src/diagnostics/worker/loop-source.ts";

/** Looks at the last await of the code. */
function isFound(code: string): boolean {
  const before = code.slice(0, code.lastIndexOf("await ")).split("\n");
  return isInIndependentLoop(code, before.length, (before.at(-1)?.length ?? 0) + 1);
}

describe("An await stands in a loop of which no round needs the one before", () => {
  for (const body of [
    "for (const id of ids) { found.push(await load(id)); }",
    "for (const id of ids)\n  await load(id);",
    "for (const id of ids) { const url = `x/${id}`; const one = await load(url); add(one); }",
    "for (let i = 0; i < ids.length; i++) { await load(ids[i]); }",
    "for (const id of ids) { try { await load(id); } catch (error) { log(error); } }",
    "for (const id of ids) { if (id.isNew) { await load(id); } }",
    "let n = 0; for (const id of ids) { n += 1; await load(id); }",
    'for (const id of ids) { /* } */ log("}"); await load(id); }',
  ]) {
    it(`as in ${JSON.stringify(body)}`, () => assert.equal(isFound(`async function all(ids) { ${body} }`), true));
  }
});

describe("An await does not", () => {
  for (const body of [
    "let last; for (const id of ids) { last = await load(id, last); }",
    "let at = 0; for (;;) { at = await load(at); }",
    "while (more) { await load(at); }",
    "do { await load(at); } while (more);",
    "for await (const id of ids) { await load(id); }",
    "for (const id of ids) { if (await load(id)) break; }",
    "for (const id of ids) { add(async () => { await load(id); }); }",
    "for (const id of ids) { add(async () => await load(id)); }",
    "for (const id of ids) { add(async function () { await load(id); }); }",
    "for (const id of ids) { add(id); } await load(1);",
    "for (const id of ids) add(id); await load(1);",
    "for (const id of await load(1)) add(id);",
    "for (const id of ids) { await sleep(100); await load(id); }",
    "let n = 0; for (const id of ids) { n += 1; if (n > 3) stop(); await load(id); }",
    "for (const id of ids) { cursor = (await load(cursor)).next; }",
    "for (const id of ids) { class One { async load() { await load(id); } } }",
    "for (const id of ids) { ( await load(id); }",
  ]) {
    it(`in ${JSON.stringify(body)}`, () => assert.equal(isFound(`async function all(ids) { ${body} }`), false));
  }
});
