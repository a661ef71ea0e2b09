// What the shells complete, asked of the shells themselves.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { CONFIG } from "../../src/fetch/read-options.ts";
import { cli } from "../support/cli.ts";
import { missing, SHELLS, typeIntoBash } from "../support/completing.ts";

const NAMES = Object.keys(CONFIG);
const OPTIONS = NAMES.map((name) => `--${name}`).toSorted();

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "meanwhile-completion-"));
  for (const { name } of SHELLS) {
    const { exit, stdout } = await cli(["completion", name]);
    assert.equal(exit, 0);
    await writeFile(join(directory, `.${name}`), stdout);
  }
  // A directory that is called like a command must not become `fetch/` where the command is meant.
  for (const name of ["fetch", "my pages"]) await mkdir(join(directory, name));
  for (const name of ["my list", "one.ts"]) await writeFile(join(directory, name), "");
});

after(async () => rm(directory, { recursive: true }));

/** Without what a shell adds by itself: quotes before blanks, a slash behind directories, the start of `--name=value`. */
function bare(replies: readonly string[]): string[] {
  return replies
    .map((reply) =>
      reply
        .replaceAll("\\ ", " ")
        .replace(/\/$/, "")
        .replace(/^--[\w-]+=/, ""),
    )
    .toSorted();
}

for (const { name, skip, complete } of SHELLS) {
  describe(`${name} completes`, { skip }, () => {
    const replies = (line: string): string[] =>
      bare(complete(line, { directory, script: join(directory, `.${name}`) }));

    it("commands", () => {
      assert.deepEqual(replies("meanwhile fe"), ["fetch"]);
      assert.deepEqual(replies("meanwhile completion "), ["bash", "fish", "zsh"]);
      assert.deepEqual(replies("meanwhile --"), ["--help", "--version"]);
      assert.deepEqual(replies("meanwhile tour --h"), ["--help"]);
    });

    it("exactly the options of the parser", () => {
      assert.deepEqual(replies("meanwhile fetch http://a/ --"), OPTIONS);
      assert.deepEqual(replies("meanwhile fetch run --re"), [
        "--request",
        "--resolve",
        "--resume",
        "--retries",
        "--retry-all-methods",
        "--retry-max-time",
      ]);
    });

    it("the options of run, and the files of programs", () => {
      const options = [
        "--allow",
        "--debug",
        "--help",
        "--inspect",
        "--no-cache",
        "--no-diagnostics",
        "--no-instrument",
        "--packages",
        "--record",
        "--report",
        "--version",
      ];
      assert.deepEqual(replies("meanwhile run --"), options);
      assert.deepEqual(replies("meanwhile run o"), ["one.ts"]);
    });

    it("the options of the commands that ask programs, and the recordings they read", () => {
      assert.deepEqual(replies("meanwhile pstree 1 --"), [
        "--all",
        "--filter",
        "--help",
        "--json",
        "--no-stacks",
        "--version",
      ]);
      assert.deepEqual(replies("meanwhile ps"), ["ps", "pstree"]);
      assert.deepEqual(replies("meanwhile trace --p"), ["--past"]);
      assert.deepEqual(replies("meanwhile trace o"), ["one.ts"]);
      assert.deepEqual(replies("meanwhile inspect o"), ["one.ts"]);
      assert.deepEqual(replies("meanwhile inspect --p"), ["--port"]);
      assert.deepEqual(replies("meanwhile tour --"), ["--help", "--inspect"]);
    });

    it("the choices of a value, behind a sign too", () => {
      assert.deepEqual(replies("meanwhile fetch --body "), ["base64", "none", "text"]);
      assert.deepEqual(replies("meanwhile fetch --progress p"), ["plain"]);
      assert.deepEqual(replies("meanwhile fetch --progress=p"), ["plain"]);
    });

    it("files, whatever blanks they have, and directories where only they will do", () => {
      assert.deepEqual(replies("meanwhile fetch -i m"), ["my list", "my pages"]);
      assert.deepEqual(replies("meanwhile fetch --input=m"), ["my list", "my pages"]);
      assert.deepEqual(replies("meanwhile fetch -o m"), ["my pages"]);
    });

    it("nothing of a value that can be anything", () => assert.deepEqual(replies("meanwhile fetch --rate "), []));
  });
}

describe("bash at a terminal", { skip: missing("script") || missing("bash") }, () => {
  it("writes what is completed as one word", () => {
    const lines = [
      "meanwhile fe\t",
      "meanwhile fetch --bod\tte\t",
      "meanwhile fetch --body=te\t",
      "meanwhile fetch -i my\\ l\t",
      "meanwhile fetch -o m\t",
    ];
    assert.deepEqual(typeIntoBash(lines, { directory, script: join(directory, ".bash") }), [
      ["fetch"],
      ["fetch", "--body", "text"],
      ["fetch", "--body=text"],
      ["fetch", "-i", "my list"],
      ["fetch", "-o", "my pages/"],
    ]);
  });
});

describe("zsh", { skip: missing("zsh") }, () => {
  const script = (): string => join(directory, ".zsh");
  const [, , zsh] = SHELLS;

  it("does not offer again what may be said once", () => {
    assert.deepEqual(zsh?.complete("meanwhile fetch -c 5 --conc", { directory, script: script() }), []);
    assert.deepEqual(zsh?.complete("meanwhile fetch -i a --input-", { directory, script: script() }), [
      "--input-format",
    ]);
    assert.deepEqual(zsh?.complete("meanwhile fetch -i a --inpu", { directory, script: script() }), [
      "--input",
      "--input-format",
    ]);
  });

  it("loads the script as a function of $fpath, too", async () => {
    await mkdir(join(directory, "functions"));
    const { stdout } = await cli(["completion", "zsh"]);
    await writeFile(join(directory, "functions", "_meanwhile"), stdout);
    const again = join(directory, ".fpath");
    await writeFile(again, `fpath=(${join(directory, "functions")} $fpath); compinit -u -D`);
    assert.deepEqual(zsh?.complete("meanwhile fetch --bo", { directory, script: again }), ["--body"]);
  });
});

describe("meanwhile completion", () => {
  for (const { name, skip } of SHELLS) {
    it(`prints a script that ${name} takes`, { skip }, () => {
      const { status, stderr } = spawnSync(name, ["-n", join(directory, `.${name}`)], { encoding: "utf8" });
      assert.deepEqual([status, stderr], [0, ""]);
    });
  }

  it("has every option in each of the scripts", async () => {
    for (const { name: shell } of SHELLS) {
      const { stdout } = await cli(["completion", shell]);
      for (const name of NAMES) assert.match(stdout, new RegExp(`(--|-l )${name}\\b`), `${shell}: ${name}`);
    }
  });

  it("refuses a shell it does not know", async () => {
    const { exit, stderr } = await cli(["completion", "tcsh"]);
    assert.deepEqual([exit, stderr], [2, "meanwhile: completion needs one shell: bash, fish or zsh\n"]);
  });
});
