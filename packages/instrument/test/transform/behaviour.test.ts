// A transformed program does what it did: each is run both ways, and everything it shows is compared.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Script } from "node:vm";

import { runFiles, runScript, transformed } from "./pass-through.ts";
import { PROGRAMS } from "./programs.ts";
import { BODIES, SCRIPTS } from "./snippets.ts";

function isSyntax(code: string): boolean {
  try {
    return new Script(`(function () {${code}\n})`) instanceof Script;
  } catch {
    return false;
  }
}

describe("a transformed script", () => {
  const scripts = Object.entries(BODIES).map(([name, body]) => [
    name,
    `async function main() {\n${body}\n}\nreturn main();`,
  ]);
  for (const [name = "", script = ""] of [...scripts, ...Object.entries(SCRIPTS)]) {
    for (const [mode, code] of [
      ["sloppy", script],
      ["strict", `"use strict"; ${script}`],
    ] as const) {
      if (!isSyntax(code) && mode === "strict") continue;
      it(`${name} (${mode})`, async () => {
        const edited = transformed(code, { format: "commonjs" });
        assert.deepEqual(await runScript(edited), await runScript(code), edited);
      });
    }
  }
});

describe("transformed files", () => {
  for (const [name, files] of Object.entries(PROGRAMS)) {
    it(name, async () => {
      assert.deepEqual(await runFiles(files, true), await runFiles(files, false));
    });
  }
});
