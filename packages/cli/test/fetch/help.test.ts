// The help: the same options as the parser takes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";

import { EXIT } from "../../src/errors.ts";
import { FAILURE_MEANINGS } from "../../src/fetch/failure-meanings.ts";
import { fetchHelp } from "../../src/fetch/help.ts";
import { CONFIG } from "../../src/fetch/read-options.ts";

const NAMES = Object.keys(CONFIG).toSorted();

describe("the help of fetch", () => {
  it("has exactly the options of the parser", () => {
    const shown = [...fetchHelp(100).matchAll(/^ {7}(?:-\w, | {4})--([\w-]+)/gm)].map(([, name]) => String(name));
    assert.deepEqual(shown.toSorted(), NAMES);
  });

  it("says the same as the README about options and codes", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    for (const name of NAMES) assert.match(readme, new RegExp(`\\| (?:\`-\\w\`, )?\`--${name}[ \`]`), name);
    for (const code of Object.keys(FAILURE_MEANINGS)) assert.match(readme, new RegExp(`\\| \`${code}\` +\\|`), code);
    for (const code of Object.values(EXIT))
      assert.match(readme, new RegExp(`^\\| (?:130, )?${code}(?:, 143)? +\\|`, "m"), String(code));
  });

  it("shows the short form of every option that has one", () => {
    for (const [name, row] of Object.entries(CONFIG)) {
      if ("short" in row) assert.match(fetchHelp(100), new RegExp(`^ {7}-${row.short}, --${name}\\b`, "m"));
    }
  });

  it("fits into the terminal, and is never wider than 100 columns", () => {
    for (const columns of [60, 72, 80, 100, 300]) {
      const [text = ""] = fetchHelp(columns).split("\nEXAMPLES\n");
      for (const line of text.split("\n")) assert.ok(line.length <= Math.min(columns, 100), `${columns}: ${line}`);
    }
    for (const line of fetchHelp(80).split("\n")) assert.ok(line.length <= 100, line);
  });

  it("has examples that fit, and that a shell takes as they are", () => {
    const examplesAt = (columns: number): string => /^EXAMPLES\n([^]*?)\n\n/m.exec(fetchHelp(columns))?.[1] ?? "";
    for (const columns of [60, 72, 80, 100]) {
      for (const line of examplesAt(columns).split("\n")) assert.ok(line.length <= columns, `${columns}: ${line}`);
      const joined = examplesAt(columns).replaceAll(/ \\\n +/g, " ");
      assert.equal(joined, examplesAt(100).replaceAll(/ \\\n +/g, " "));
    }
  });

  it("has the sections of a manual page", () => {
    const titles = fetchHelp().match(/^[A-Z ]+$/gm);
    assert.deepEqual(titles, [
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      "OPTIONS",
      "EXIT STATUS",
      "ERROR CODES",
      "EXAMPLES",
      "FILES",
      "ENVIRONMENT",
    ]);
  });
});
