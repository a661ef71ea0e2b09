// File names and files: nothing leaves the directory, nothing is overwritten.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { describe, it } from "node:test";

import { fileNameOf, safeFileName, withSuffix } from "../../src/fetch/file-name.ts";
import { Directory } from "../../src/fetch/files.ts";

const PIECES = [
  "..",
  "../..",
  "../../etc/passwd",
  "%2e%2e",
  "..%2f..%2fetc%2fpasswd",
  "..%5c..%5cwindows",
  "%2fabsolute",
];
const EVIL = [
  ...PIECES,
  ...PIECES.map((piece) => `${piece}/`),
  ...PIECES.map((piece) => `x/${piece}`),
  "",
  ".",
  "...",
  "%00",
  "a%00.txt",
  "a%0ab",
  "%1b[2J",
  "%c2%9b2J",
  "%e2%80%aetxt.exe",
  "%ef%bb%bf",
  "%e2%80%8b",
  " ",
  "%20%20",
  "a.%20.",
  ".htaccess",
  ".ssh",
  "~",
  "~root",
  "-rf",
  "$(id)",
  "`id`",
  "a;b",
  "a|b",
  "a<b>c",
  "a:b",
  "a:stream",
  "C:",
  "C%3a%5cx",
  "a*b?",
  '"',
  "'",
  "con",
  "CON.txt",
  "nul",
  "aux.tar.gz",
  "com1",
  "COM9.log",
  "lpt1",
  "com%c2%b9",
  "prn.",
  "conin$",
  "%",
  "%zz",
  "%ff%fe",
  "%c3%28",
  "%ed%a0%80",
  "e%cc%81",
  "a".repeat(300),
  "ä".repeat(300),
  "%f0%9f%8e%89".repeat(100),
  `${"b".repeat(300)}.tar.gz`,
];

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
  it("stay in their directory, whatever the URL says", () => {
    for (const evil of EVIL) {
      for (const name of [fileNameOf(new URL(`http://host/${evil}`)), safeFileName(evil), safeFileName(decode(evil))]) {
        const path = resolve("/out", name);
        assert.equal(path, `/out${sep}${name}`, `"${evil}" gives "${name}"`);
        assert.doesNotMatch(name, /[/\\:*?"<>|\p{Cc}\p{Cf}]|^\.|[. ]$|^$/u, `"${evil}" gives "${name}"`);
        assert.doesNotMatch(name, /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i, `"${evil}" gives "${name}"`);
        assert.ok(Buffer.byteLength(name) <= 200, `"${evil}" gives ${Buffer.byteLength(name)} bytes`);
      }
    }
  });

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
      assert.deepEqual(await readdir(path), ["a.txt.part"]);
      await part.discard();
      assert.deepEqual(await readdir(path), []);
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

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
