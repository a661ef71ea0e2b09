// All tests of the package again, on each other PostgreSQL that is installed.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, it } from "node:test";

import { noteFigure } from "../../../../tools/figures.ts";

const TESTS = globSync(join(import.meta.dirname, "../*.test.ts"));
const SETUP = join(import.meta.dirname, "../../../../tools/test-setup.ts");
/** Where the systems put the programs of a server, beside PATH. */
const PLACES = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"];

function installed(): string[] {
  const onPath = (process.env["PATH"] ?? "").split(delimiter);
  const places = [...onPath, ...PLACES.flatMap((place) => globSync(place))];
  const folders = places.filter((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
  return [...new Set(folders.map((folder) => realpathSync(folder)))];
}

function versionOf(folder: string): string {
  return spawnSync(join(folder, "postgres"), ["--version"], { encoding: "utf8" }).stdout.trim();
}

const folders = installed();

describe("other servers", () => {
  it("are installed", { skip: folders.length === 0 ? "no other PostgreSQL on this machine" : false }, () => {});

  for (const folder of folders) {
    const version = versionOf(folder);
    it(`give the same: ${version}`, () => {
      const args = ["--conditions=@meanwhile/source", "--import", SETUP, "--test", "--test-concurrency=1", ...TESTS];
      const env = { ...process.env, MEANWHILE_TEST_POSTGRES_BIN: folder, NODE_TEST_CONTEXT: undefined };
      const startedAt = performance.now();
      const { status, stdout } = spawnSync(process.execPath, args, {
        encoding: "utf8",
        env,
        cwd: dirname(dirname(SETUP)),
      });
      const count = Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1] ?? 0);
      assert.ok(status === 0 && count > 0, stdout);
      noteFigure(version, { count, unit: "tests", ms: performance.now() - startedAt });
    });
  }
});
