// The help and the completion of the shells: the same options as the parser takes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";

import { EXIT } from "../../src/errors.ts";
import { FAILURE_MEANINGS } from "../../src/fetch/failure-meanings.ts";
import { fetchHelp } from "../../src/fetch/help.ts";
import { CONFIG } from "../../src/fetch/read-options.ts";
import { BIN, cli } from "../support/cli.ts";

const NAMES = Object.keys(CONFIG).toSorted();

function hasShell(name: string): boolean {
  return spawnSync(name, ["-c", "exit 0"]).status === 0;
}

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

describe("meanwhile completion", () => {
  const complete = async (...words: string[]): Promise<string[]> => {
    const { stdout: script } = await cli(["completion", "bash"]);
    const line = words.map((word) => `'${word}'`).join(" ");
    const program = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _meanwhile; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", program], { encoding: "utf8" });
    assert.equal(stderr, "");
    return stdout.split("\n").filter((reply) => reply !== "");
  };

  it("completes commands in bash", async () => {
    assert.deepEqual(await complete("meanwhile", "f"), ["fetch"]);
    assert.deepEqual(await complete("meanwhile", "completion", ""), ["bash", "fish", "zsh"]);
  });

  it("completes exactly the options of the parser in bash", async () => {
    const replies = await complete("meanwhile", "fetch", "http://a/", "--");
    assert.deepEqual(replies.map((reply) => reply.slice(2)).toSorted(), NAMES);
  });

  it("completes the choices, the files and nothing of a value in bash", async () => {
    assert.deepEqual(await complete("meanwhile", "fetch", "--body", ""), ["none", "text", "base64"]);
    assert.deepEqual(await complete("meanwhile", "fetch", "--progress", "p"), ["plain"]);
    assert.deepEqual(await complete("meanwhile", "fetch", "-i", BIN.slice(0, -2)), [BIN]);
    assert.deepEqual(await complete("meanwhile", "fetch", "--rate", "-"), []);
  });

  for (const shell of ["bash", "zsh", "fish"]) {
    it(
      `prints a script that ${shell} takes`,
      { skip: hasShell(shell) ? false : `${shell} is not installed` },
      async () => {
        const { stdout: script } = await cli(["completion", shell]);
        const { status, stderr } = spawnSync(shell, ["-n"], { input: script, encoding: "utf8" });
        assert.deepEqual([status, stderr], [0, ""]);
      },
    );
  }

  it("has every option in each of the scripts", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { stdout } = await cli(["completion", shell]);
      for (const name of NAMES) assert.match(stdout, new RegExp(`(--|-l )${name}\\b`), `${shell}: ${name}`);
    }
  });

  it("refuses a shell it does not know", async () => {
    const { exit, stderr } = await cli(["completion", "tcsh"]);
    assert.deepEqual([exit, stderr], [2, "meanwhile: completion needs one shell: bash, fish or zsh\n"]);
  });
});
