// Files of URLs whose names get into each other's way.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { Directory } from "../../src/fetch/files.ts";
import { cli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

async function withServer(body: (server: TestServer, directory: string) => Promise<void>): Promise<void> {
  await using server = await TestServer.start();
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-names-"));
  try {
    await body(server, directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Each file has the body of the URL whose record names it. */
async function checkFiles(directory: string, records: Awaited<ReturnType<typeof cli>>["records"]): Promise<void> {
  assert.equal(new Set(records.map(({ file }) => file)).size, records.length);
  for (const { file = "", url } of records) {
    assert.equal(await readFile(join(directory, file), "utf8"), `body of ${new URL(url).pathname}`);
  }
}

describe("meanwhile fetch -o", () => {
  it("gives no file the name of an unfinished one", () =>
    withServer(async ({ origin }, directory) => {
      const urls = ["a", "a.part", "a.part.json", "A.PART"].map((name) => `${origin}/pause/${name}`);
      const { records } = await cli(["fetch", ...urls, "-o", directory, "--overwrite"]);
      await checkFiles(directory, records);
      assert.deepEqual((await readdir(directory)).toSorted(), ["A.PART_", "a", "a.part_", "a.part_.json"]);
      const parts = await cli(["fetch", `${origin}/ok/x.part/y`, "-o", directory, "--name", "{path}"]);
      assert.equal(parts.records[0]?.file, "ok/x.part_/y");
    }));

  it("writes nothing twice in one run with --overwrite, one after another and at once", () =>
    withServer(async ({ origin }, directory) => {
      for (const more of [["-c", "1"], ["-c", "9", "--per-host", "9"], ["--resume"]]) {
        const urls = Array.from({ length: 9 }, (_, index) => `${origin}/pause/${index}/a.txt`);
        const { records } = await cli(["fetch", ...urls, "-o", directory, "--overwrite", ...more]);
        assert.equal(records.length, 9);
        await checkFiles(directory, records);
        assert.equal((await readdir(directory)).length, 9);
      }
    }));

  it("skips with --skip-existing no URL for the file of another one, in this run and the next", () =>
    withServer(async (server, directory) => {
      const urls = [1, 2, 3].map((index) => `${server.origin}/ok/${index}/a.txt`);
      const args = ["fetch", ...urls, "-o", directory, "--skip-existing", "-c", "1"];
      await checkFiles(directory, (await cli(args)).records);
      const { records } = await cli(args);
      assert.equal(server.seen.length, 3);
      await checkFiles(directory, records);
      await rm(join(directory, "a-1.txt"));
      await checkFiles(directory, (await cli(args)).records);
      assert.equal(server.seen.at(-1)?.path, "/ok/2/a.txt");
      assert.equal(server.seen.length, 4);
    }));

  it("decides what exists before anything else: it costs no rate", () =>
    withServer(async (server, directory) => {
      const names = ["a", "b", "c", "d"];
      for (const name of names) await writeFile(join(directory, name), "there");
      const urls = [...names, "e"].map((name) => `${server.origin}/ok/${name}`);
      const args = ["-o", directory, "--skip-existing", "--rate", "1/m"];
      const { exit, records } = await cli(["fetch", ...urls, ...args]);
      assert.equal(exit, 0);
      assert.deepEqual(
        records.map(({ attempts, skipped }) => (skipped === undefined ? attempts : `${skipped} ${attempts}`)),
        [...names.map(() => "exists 0"), 1],
      );
    }));

  it("finds with --skip-existing what stands beside a file or a directory of its name", () =>
    withServer(async (server, directory) => {
      const args = ["-o", directory, "--skip-existing", "--name", "{path}", "-c", "1"];
      const urls = ["ok/a", "ok/a/b", "ok/c/d", "ok/c"].map((path) => `${server.origin}/${path}`);
      const first = await cli(["fetch", ...urls, ...args]);
      await checkFiles(directory, first.records);
      const next = await cli(["fetch", ...urls, ...args]);
      assert.equal(server.seen.length, 4);
      assert.deepEqual(
        next.records.map(({ file }) => file),
        ["ok/a", "ok/a-1/b", "ok/c/d", "ok/c-1"],
      );
    }));

  it("puts a file beside a directory of its name with --overwrite", () =>
    withServer(async ({ origin }, directory) => {
      await mkdir(join(directory, "a", "b"), { recursive: true });
      for (let run = 0; run < 2; run++) {
        const { exit, records } = await cli(["fetch", `${origin}/ok/a`, "-o", directory, "--overwrite"]);
        assert.deepEqual([exit, records[0]?.file], [0, "a-1"]);
      }
      assert.deepEqual((await readdir(directory)).toSorted(), ["a", "a-1"]);
    }));

  it("empties no file for an answer without a body", () =>
    withServer(async ({ origin }, directory) => {
      const names = ["a", "b", "c", "d"];
      for (const name of names) await writeFile(join(directory, name), "precious");
      const urls = [204, 205, 304, 300].map((status, index) => `${origin}/status/${status}/${names[index]}`);
      const args = ["-o", directory, "--overwrite", "--ok", "200-399"];
      const { records } = await cli(["fetch", ...urls, ...args]);
      await cli(["fetch", `${origin}/ok/a`, ...args, "-X", "HEAD"]);
      assert.deepEqual(
        records.map(({ ok, file }) => [ok, file]),
        names.map(() => [true, undefined]),
      );
      for (const name of names) assert.equal(await readFile(join(directory, name), "utf8"), "precious");
    }));

  it("finds out before the first request that nothing can be written", { skip: process.platform !== "linux" }, () =>
    withServer(async (server) => {
      await assert.rejects(Directory.open("/proc"), { exitCode: 3 });
      const { exit } = await cli(["fetch", `${server.origin}/ok/a`, "-o", "/proc"]);
      assert.deepEqual([exit, server.seen.length], [3, 0]);
    }),
  );
});
