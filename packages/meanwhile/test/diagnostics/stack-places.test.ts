// Whose code a stack shows.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { framesOfProgram, isOfLoading, isOurs } from "../../src/diagnostics/worker/stack-places.ts";

const installed = "file:///app/node_modules/@meanwhile";
const APP = "file:///app/app.ts";
const NODE_LOADS = "node:internal/modules/esm/module_job";
const HOOK = `${installed}/instrument/dist/register.js`;
const PARSER = "file:///app/node_modules/oxc-parser/src-js/index.js";
const WASM = "wasm://wasm/00ad0bc6";

describe("A stack", () => {
  it("shows nothing of a program that is loaded: by Node, by machine code, by the load hook, by `meanwhile run`", () => {
    for (const urls of [
      [NODE_LOADS, `${installed}/cli/dist/program.js`],
      [WASM, "node:internal/deps/amaro/dist/index", NODE_LOADS],
      [PARSER, HOOK, NODE_LOADS],
      ["node:internal/async_hooks", `${installed}/cli/src/program.ts`],
      [new URL("../../../cli/src/program.ts", import.meta.url).href],
      [new URL("../../../instrument/src/hook.ts", import.meta.url).href],
    ]) {
      assert.deepEqual(framesOfProgram(urls), [], urls.join(" "));
      assert.equal(urls.some(isOfLoading), true, urls.join(" "));
    }
  });

  it("shows the line of the program that loads, or that calls machine code or a parser of its own", () => {
    assert.deepEqual(framesOfProgram([PARSER, HOOK, NODE_LOADS, APP, NODE_LOADS]), [3]);
    assert.deepEqual(framesOfProgram([WASM, APP]), [1]);
    assert.deepEqual(framesOfProgram([PARSER, APP, HOOK, APP]), [0, 1, 3]);
  });

  it("shows the chapters of the tour, which are programs", () => {
    assert.equal(isOurs(new URL("../../../cli/src/tour/chapters/any.ts", import.meta.url).href), false);
    assert.equal(isOurs("file:///their/packages/instrument/src/index.ts"), false);
  });
});
