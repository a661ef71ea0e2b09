// File names and files: nothing leaves the directory, nothing is overwritten.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { describe, it } from "node:test";

import { safeFileName } from "@meanwhile/http";

import { fileNameOf, withSuffix } from "../../src/fetch/file-name.ts";
import { Directory } from "../../src/fetch/files.ts";
import { fillTemplate } from "../../src/fetch/name-template.ts";
import { EVIL_NAMES } from "./evil-names.ts";

async function inDirectory(body: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "meanwhile-files-"));
  try {
    await body(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

async function save(directory: Directory, name: string, content: string): Promise<string> {
  const part = await directory.create(name);
  await part.write(Buffer.from(content));
  return part.finish();
}

describe("file names", () => {
  it("are at least 200 in the table", () => {
    assert.ok(new Set(EVIL_NAMES).size >= 200, `${new Set(EVIL_NAMES).size}`);
  });

  it("stay in their directory, whatever the URL says", () => {
    for (const evil of EVIL_NAMES) {
      for (const name of namesOf(evil)) {
        const path = resolve("/out", name);
        assert.equal(path, `/out${sep}${name}`, `"${evil}" gives "${name}"`);
        assert.doesNotMatch(name, /[/\\:*?"<>|\p{Cc}\p{Cf}\u2028\u2029]|^\.|[.\s]$|^$/u, `"${evil}" gives "${name}"`);
        assert.doesNotMatch(name, /^(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)/i, `"${evil}" gives "${name}"`);
        assert.ok(Buffer.byteLength(name) <= 200, `"${evil}" gives ${Buffer.byteLength(name)} bytes`);
        assert.equal(name, name.normalize("NFC"));
      }
    }
  });

  it("stay in their directory on the disk, too, one by one", () =>
    inDirectory(async (path) => {
      const directory = await Directory.open(join(path, "out"));
      for (const evil of EVIL_NAMES) {
        const segments = fillTemplate("{host}/{path}/{id}", { url: urlOf(evil), index: 1, id: evil });
        const name = await save(directory, await directory.nameOf(segments), evil);
        const real = await realpath(join(directory.path, name));
        assert.ok(real.startsWith(`${directory.path}${sep}`), `"${evil}" gives "${name}"`);
        assert.equal(await readFile(real, "utf8"), Buffer.from(evil).toString());
      }
      assert.deepEqual(await readdir(path), ["out"]);
    }));

  it("are the last part of the path", () => {
    const names = ["a/b.txt", "a/b.txt?q=1#f", "a/dir/", "", "caf%C3%A9.html"].map((path) =>
      fileNameOf(new URL(`http://host/${path}`)),
    );
    assert.deepEqual(names, ["b.txt", "b.txt", "dir", "index", "café.html"]);
  });

  it("keep their extension and differ when they are cut", () => {
    const [one, other] = ["x", "y"].map((end) => safeFileName(`${"a".repeat(300)}${end}.tar`));
    assert.match(one ?? "", /\.tar$/);
    assert.notEqual(one, other);
  });

  it("get a number before the extension", () => {
    assert.deepEqual(
      [withSuffix("a.txt", 0), withSuffix("a.txt", 2), withSuffix("a", 1), withSuffix("a.tar.gz", 1)],
      ["a.txt", "a-2.txt", "a-1", "a.tar-1.gz"],
    );
  });
});

describe("Directory", () => {
  it("never overwrites, not even what another process puts there meanwhile", () =>
    inDirectory(async (path) => {
      await writeFile(join(path, "a.txt"), "precious");
      const directory = await Directory.open(path);
      const part = await directory.create("b.txt");
      await part.write(Buffer.from("new"));
      await writeFile(join(path, "b.txt"), "precious");
      assert.equal(await part.finish(), "b-1.txt");
      assert.equal(await save(directory, "a.txt", "one"), "a-1.txt");
      assert.equal(await save(directory, "a.txt", "two"), "a-2.txt");
      for (const name of ["a.txt", "b.txt"]) assert.equal(await readFile(join(path, name), "utf8"), "precious");
      assert.deepEqual((await readdir(path)).toSorted(), ["a-1.txt", "a-2.txt", "a.txt", "b-1.txt", "b.txt"]);
    }));

  it("gives the final name only to what is complete", () =>
    inDirectory(async (path) => {
      const directory = await Directory.open(path);
      const part = await directory.create("a.txt");
      await part.write(Buffer.from("half"));
      assert.match((await readdir(path)).join(), /^a\.txt\.mw-[0-9a-f]{8}-\d+-\d+\.part$/);
      await part.discard();
      assert.deepEqual(await readdir(path), []);
    }));

  it("removes parts of runs that were killed, and of nobody else", () =>
    inDirectory(async (path) => {
      const folder = join(path, "sub");
      await mkdir(folder);
      const running = await (await Directory.open(folder)).create("a.txt");
      const [part = ""] = await readdir(folder);
      const gone = part.replace(/-\d+-\d+\.part$/, `-${spawnSync(process.execPath, ["--version"]).pid}-1.part`);
      const others = ["b.part", gone.replace(/mw-[0-9a-f]{8}/, "mw-00000000"), gone.replace("a.txt", "new")];
      for (const name of [gone, ...others]) {
        await writeFile(join(folder, name), "half");
        if (!name.startsWith("new")) await utimes(join(folder, name), 1_000_000, 1_000_000);
      }
      await utimes(join(folder, part), 1_000_000, 1_000_000);
      const directory = await Directory.open(path);
      assert.equal(await save(directory, await directory.nameOf(["sub", "a.txt"]), "whole"), "sub/a.txt");
      assert.deepEqual((await readdir(folder)).toSorted(), ["a.txt", part, ...others].toSorted());
      await running.discard();
    }));

  it("does not follow a link that was planted in it", () =>
    inDirectory(async (path) => {
      const outside = join(path, "outside");
      await symlink(outside, join(path, "a.txt"));
      await symlink(outside, join(path, "a-1.txt.part"));
      const directory = await Directory.open(path);
      const name = await save(directory, "a.txt", "content");
      assert.notEqual(name, "a.txt");
      await assert.rejects(readFile(outside), { code: "ENOENT" });
    }));

  it("makes no file by a directory that is a link, but beside it", () =>
    inDirectory(async (path) => {
      const outside = join(path, "outside");
      await mkdir(outside);
      const directory = await Directory.open(join(path, "out"));
      await symlink(outside, join(directory.path, "host"));
      const name = await directory.nameOf(["host", "a.txt"]);
      assert.equal(name, "host-1/a.txt");
      assert.equal(await save(directory, name, "content"), name);
      assert.deepEqual(await readdir(outside), []);
    }));

  it("notices that one of its directories was replaced by a link", () =>
    inDirectory(async (path) => {
      const outside = join(path, "outside");
      await mkdir(outside);
      const directory = await Directory.open(join(path, "out"));
      await directory.nameOf(["host", "a.txt"]);
      await rm(join(directory.path, "host"), { recursive: true });
      await symlink(outside, join(directory.path, "host"));
      const name = await directory.nameOf(["host", "deep", "a.txt"]);
      assert.equal(name, "host-1/deep/a.txt");
      assert.deepEqual(await readdir(outside), []);
    }));

  it("makes a directory beside a file of its name", () =>
    inDirectory(async (path) => {
      const directory = await Directory.open(path);
      await save(directory, "a", "file");
      assert.equal(await directory.nameOf(["a", "b"]), "a-1/b");
    }));

  it("replaces what is there in one step if asked to, and a link but not what it leads to", () =>
    inDirectory(async (path) => {
      const directory = await Directory.open(join(path, "out"), { overwrite: true, fsync: true });
      await writeFile(join(path, "precious"), "precious");
      await writeFile(join(directory.path, "a.txt"), "old");
      await symlink(join(path, "precious"), join(directory.path, "b.txt"));
      for (const name of ["a.txt", "b.txt"]) assert.equal(await save(directory, name, "new"), name);
      for (const name of ["a.txt", "b.txt"]) assert.equal(await readFile(join(directory.path, name), "utf8"), "new");
      assert.equal(await readFile(join(path, "precious"), "utf8"), "precious");
    }));

  it("finds a name for many of the same at once", () =>
    inDirectory(async (path) => {
      const directory = await Directory.open(path);
      const names = await Promise.all(Array.from({ length: 100 }, (_, index) => save(directory, "a", String(index))));
      assert.equal(new Set(names).size, 100);
      assert.equal((await readdir(path)).length, 100);
    }));

  it("says in one line what is wrong with a directory that is none", () =>
    inDirectory(async (path) => {
      await writeFile(join(path, "file"), "");
      await assert.rejects(Directory.open(join(path, "file")), {
        exitCode: 3,
        message: /there is a file of that name/,
      });
    }));
});

function urlOf(evil: string): URL {
  return URL.parse(`http://host/${evil}`) ?? new URL(`http://host/${encodeURIComponent(evil.toWellFormed())}`);
}

/** The names that come of it in a URL, as it is and encoded, and by itself. */
function namesOf(evil: string): string[] {
  const encoded = new URL(`http://host/${encodeURIComponent(evil.toWellFormed())}`);
  return [fileNameOf(urlOf(evil)), fileNameOf(encoded), safeFileName(evil)];
}
