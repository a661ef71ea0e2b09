// Bodies as files.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { cli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

async function withServer(body: (origin: string, directory: string) => Promise<void>): Promise<void> {
  await using server = await TestServer.start();
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-saving-"));
  try {
    await body(server.origin, directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("meanwhile fetch -o", () => {
  it("saves bodies under the names of their URLs and says where", () =>
    withServer(async (origin, directory) => {
      const out = join(directory, "new", "deeper");
      const { exit, records } = await cli(["fetch", `${origin}/ok/a.txt`, `${origin}/big/b.bin`, "-o", out]);
      assert.equal(exit, 0);
      assert.deepEqual(records.map(({ file }) => String(file)).toSorted(), ["a.txt", "b.bin"]);
      assert.equal(await readFile(join(out, "a.txt"), "utf8"), "body of /ok/a.txt");
      assert.equal((await readFile(join(out, "b.bin"))).length, 300_000);
    }));

  it("keeps everything inside the directory, whatever the URLs say", () =>
    withServer(async (origin, directory) => {
      const out = join(directory, "out");
      await mkdir(out);
      await writeFile(join(directory, "precious"), "untouched");
      const paths =
        "..%2fprecious ..%2f..%2fetc%2fpasswd %2e%2e%5cprecious .htaccess con nul.txt %00 %1b%5d0%3b a%0ab".split(" ");
      const { records } = await cli(["fetch", ...paths.map((path) => `${origin}/ok/${path}`), "-o", out]);
      assert.equal(records.filter(({ ok }) => ok).length, paths.length);
      assert.deepEqual((await readdir(directory)).toSorted(), ["out", "precious"]);
      assert.equal(await readFile(join(directory, "precious"), "utf8"), "untouched");
      const names = await readdir(out);
      assert.equal(names.length, paths.length);
      for (const name of names) assert.doesNotMatch(name, /[/\\\p{Cc}]|^\./u);
    }));

  it("overwrites nothing, and numbers what has the same name", () =>
    withServer(async (origin, directory) => {
      await writeFile(join(directory, "a.txt"), "precious");
      const urls = Array.from({ length: 30 }, (_, index) => `${origin}/ok/${index}/a.txt`);
      const { records } = await cli(["fetch", ...urls, "-o", directory]);
      assert.equal(await readFile(join(directory, "a.txt"), "utf8"), "precious");
      assert.equal((await readdir(directory)).length, 31);
      for (const { file, url } of records) {
        assert.equal(await readFile(join(directory, file ?? ""), "utf8"), `body of ${new URL(url).pathname}`);
      }
    }));

  it("leaves nothing behind of what failed", () =>
    withServer(async (origin, directory) => {
      const paths = ["short/1", "stall-body/2", "status/404/3", "big/4"];
      const args = "--retries 0 --idle-timeout 300ms --max-size 100kB -o".split(" ");
      const { records } = await cli(["fetch", ...paths.map((path) => `${origin}/${path}`), ...args, directory]);
      const codes = records.map(({ error }) => String(error?.code)).toSorted();
      assert.deepEqual(codes, ["http_4xx", "incomplete", "stall", "too_large"]);
      assert.deepEqual(await readdir(directory), []);
    }));

  it("ends a body that takes longer than a --timeout that was said", () =>
    withServer(async (origin, directory) => {
      const args = "--retries 0 --timeout 300ms -o".split(" ");
      const { records } = await cli(["fetch", `${origin}/stall-body/2`, ...args, directory]);
      assert.equal(records[0]?.error?.code, "timeout");
      assert.deepEqual(await readdir(directory), []);
    }));
});
