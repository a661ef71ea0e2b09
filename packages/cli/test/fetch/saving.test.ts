// Bodies as files.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
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

  it("names files by a template", () =>
    withServer(async (origin, directory) => {
      const urls = [`${origin}/ok/a/x.txt`, `${origin}/ok/b/x.txt`, `${origin}/ok/..%2f..%2fx`];
      const { records } = await cli(["fetch", ...urls, "-o", directory, "--name", "{host}/{path}"]);
      const host = new URL(origin).host.replace(":", "_");
      assert.deepEqual(
        records.map(({ file }) => String(file)).toSorted(),
        [`${host}/ok/_.._x`, `${host}/ok/a/x.txt`, `${host}/ok/b/x.txt`].toSorted(),
      );
      assert.equal(await readFile(join(directory, host, "ok/b/x.txt"), "utf8"), "body of /ok/b/x.txt");
    }));

  it("takes names from servers only if told to, and makes them safe", () =>
    withServer(async (origin, directory) => {
      const urls = ["..%2f..%2fevil.sh", "good.txt", ".bashrc"].map((name) => `${origin}/named/${name}`);
      const own = await cli(["fetch", urls[1] ?? "", "-o", directory, "--name", "mine"]);
      assert.equal(own.records[0]?.file, "mine");
      const { records } = await cli(["fetch", ...urls, "-o", directory, "--content-disposition"]);
      assert.deepEqual(records.map(({ file }) => String(file)).toSorted(), ["bashrc", "evil.sh", "good.txt"]);
      assert.equal((await readdir(directory)).length, 4);
    }));

  it("replaces files with --overwrite, and only with what is complete", () =>
    withServer(async (origin, directory) => {
      await writeFile(join(directory, "a.txt"), "old");
      await writeFile(join(directory, "1"), "old");
      const urls = [`${origin}/ok/a.txt`, `${origin}/short/1`];
      await cli(["fetch", ...urls, "-o", directory, "--overwrite", "--retries", "0"]);
      assert.equal(await readFile(join(directory, "a.txt"), "utf8"), "body of /ok/a.txt");
      assert.equal(await readFile(join(directory, "1"), "utf8"), "old");
      assert.deepEqual((await readdir(directory)).toSorted(), ["1", "a.txt"]);
    }));

  it("requests nothing with --skip-existing whose file is there", async () => {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-saving-"));
    try {
      await writeFile(join(directory, "a.txt"), "there");
      const urls = ["a.txt", "b.txt"].map((name) => `${server.origin}/ok/${name}`);
      const { exit, records, stderr } = await cli(["fetch", ...urls, "-o", directory, "--skip-existing"]);
      assert.equal(exit, 0);
      assert.deepEqual(
        server.seen.map(({ path }) => path),
        ["/ok/b.txt"],
      );
      const skipped = records.find(({ index }) => index === 1);
      assert.deepEqual([skipped?.skipped, skipped?.file, skipped?.ok], ["exists", "a.txt", true]);
      assert.match(stderr, /1 ok {2}0 failed {2}1 skipped/);
      assert.equal(await readFile(join(directory, "a.txt"), "utf8"), "there");
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("goes on with a part in the next run with --resume", async () => {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-saving-"));
    try {
      const sum = createHash("sha256").update(Buffer.alloc(200_000, "x")).digest("hex");
      const args = ["fetch", `${server.origin}/broken/a.bin`, "-o", directory, "--resume", "--retries", "0"];
      const first = await cli(args);
      assert.equal(first.records[0]?.error?.code, "incomplete");
      assert.deepEqual((await readdir(directory)).toSorted(), ["a.bin.part", "a.bin.part.json"]);
      const second = await cli([...args, "--sha256", "--checksum", `sha256:${sum}`]);
      assert.deepEqual([second.exit, second.records[0]?.file, second.records[0]?.sha256], [0, "a.bin", sum]);
      assert.equal(second.records[0]?.bytes, 200_000);
      assert.match(second.stderr, /1 resumed/);
      assert.match(server.seen.at(-1)?.headers.range ?? "", /^bytes=\d{5,}-$/);
      assert.deepEqual(await readdir(directory), ["a.bin"]);
      assert.ok((await readFile(join(directory, "a.bin"))).equals(Buffer.alloc(200_000, "x")));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("goes on with a part in the next attempt, and keeps files of the same name apart", () =>
    withServer(async (origin, directory) => {
      const urls = [1, 2, 3].map((number) => `${origin}/broken/${number}/a.bin`);
      const { exit, records, stderr } = await cli(["fetch", ...urls, "-o", directory, "--resume"]);
      assert.equal(exit, 0, stderr);
      assert.equal(new Set(records.map(({ file }) => file)).size, 3);
      const names = await readdir(directory);
      assert.equal(names.length, 3);
      for (const name of names) assert.equal((await readFile(join(directory, name))).length, 200_000);
      assert.match(stderr, /3 resumed/);
    }));

  it("saves nothing whose checksum is wrong, and says the right one", () =>
    withServer(async (origin, directory) => {
      const list = [
        { url: `${origin}/ok/1`, checksum: `sha256:${"0".repeat(64)}` },
        { url: `${origin}/ok/2`, checksum: `sha256:${createHash("sha256").update("body of /ok/2").digest("hex")}` },
      ];
      const input = list.map((line) => `${JSON.stringify(line)}\n`).join("");
      const { records } = await cli(["fetch", "-", "-o", directory, "--sha256"], { input });
      const [wrong, right] = records.toSorted((one, other) => one.index - other.index);
      assert.deepEqual([wrong?.error?.code, right?.ok], ["checksum", true]);
      assert.equal(wrong?.sha256, createHash("sha256").update("body of /ok/1").digest("hex"));
      assert.deepEqual(await readdir(directory), ["2"]);
    }));
});
