import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { CookieJar } from "@meanwhile/http";
import { cancelScope } from "meanwhile";

const FAILED = { name: "HttpError", code: "MW_ERR_HTTP_COOKIE_FILE" };

/** A new directory, removed at the end of the block. */
async function temporary() {
  const path = await mkdtemp(join(tmpdir(), "meanwhile-jar-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function filled(): CookieJar {
  const jar = new CookieJar();
  jar.set("host=1; Max-Age=60; SameSite=Lax; HttpOnly", "http://www.shop.test/a/b");
  jar.set("wide=2; Max-Age=60; Domain=shop.test; Path=/; Secure", "https://www.shop.test/");
  jar.set("address=3; Max-Age=60", "http://127.0.0.1/");
  jar.set("six=4; Max-Age=60", "http://[::1]/");
  jar.set("session=5", "http://www.shop.test/");
  return jar;
}

describe("CookieJar.toJSON and from (C11)", () => {
  it("keep every property of every cookie, also of those without an end", () => {
    const jar = filled();
    const copy = CookieJar.from(JSON.parse(JSON.stringify(jar)));
    assert.deepEqual(JSON.stringify([...copy]), JSON.stringify([...jar]));
    assert.equal(copy.size, 5);
  });

  it("keep a cookie for one host from becoming one for its subdomains", () => {
    const copy = CookieJar.from(filled().toJSON());
    const names = (url: string) => copy.get(url).map(({ name }) => name);
    assert.deepEqual(names("https://www.shop.test/a/"), ["host", "wide", "session"]);
    assert.deepEqual(names("https://x.www.shop.test/a/"), ["wide"]);
    assert.deepEqual(names("http://127.0.0.1/"), ["address"]);
    assert.deepEqual(names("http://1.127.0.0.1.test/"), []);
  });

  it("refuse what is no jar, or has a cookie that no host could have set", () => {
    const [good] = filled();
    assert.ok(good !== undefined);
    const changes: ReadonlyArray<Record<string, unknown>> = [
      { name: "" },
      { name: "a\r\nb" },
      { name: 1 },
      { value: "x;y" },
      { value: "\n" },
      { value: "x".repeat(5_000) },
      { path: "relative" },
      { path: null },
      { domain: "" },
      { domain: "UPPER.test" },
      { domain: "a/b" },
      { domain: "a:1" },
      { domain: "1.2.3" },
      { domain: "com", isHostOnly: false },
      { domain: "x".repeat(300) },
      { isHostOnly: "yes" },
      { isSecure: 1 },
      { isHttpOnly: null },
      { sameSite: "odd" },
      { expiresAt: "soon" },
      { expiresAt: 1e300 },
      { name: "__Host-a" },
      { name: "__Secure-a" },
    ];
    for (const change of changes) {
      const json: unknown = { version: 1, cookies: [{ ...good, ...change }] };
      const isHarmless = change["domain"] === "com";
      if (isHarmless) assert.equal(CookieJar.from(json as never).get("http://a.com/a/").length, 0);
      else
        assert.throws(
          () => CookieJar.from(json as never),
          { code: "MW_ERR_HTTP_INVALID_ARGUMENT" },
          JSON.stringify(change),
        );
    }
    for (const json of [
      null,
      [],
      1,
      "{}",
      {},
      { version: 2, cookies: [] },
      { version: 1 },
      { version: 1, cookies: [null] },
    ]) {
      assert.throws(() => CookieJar.from(json as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
  });

  it("hold to the limits of the new jar", () => {
    assert.equal(CookieJar.from(filled().toJSON(), { maxCookies: 2 }).size, 2);
  });
});

describe("CookieJar.save and load (C11)", () => {
  it("bring back the cookies that have an end, and on request all", async () => {
    await using directory = await temporary();
    const path = join(directory.path, "cookies.json");
    const jar = filled();
    await jar.save(path);
    const names = async () => [...(await CookieJar.load(path))].map(({ name }) => name);
    assert.deepEqual(await names(), ["host", "wide", "address", "six"]);
    await jar.save(path, { sessionCookies: true });
    assert.deepEqual(await names(), ["host", "wide", "address", "six", "session"]);
    assert.deepEqual(await readdir(directory.path), ["cookies.json"]);
  });

  it("begin with an empty jar where there is no file", async () => {
    await using directory = await temporary();
    assert.equal((await CookieJar.load(join(directory.path, "none.json"))).size, 0);
  });

  it("write a file that only its owner may read, also in place of one that others could", async () => {
    await using directory = await temporary();
    const path = join(directory.path, "cookies.json");
    await writeFile(path, "{}", { mode: 0o666 });
    await chmod(path, 0o666);
    await filled().save(path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it("refuse a damaged file, and say nothing of what is in it", async () => {
    await using directory = await temporary();
    const path = join(directory.path, "cookies.json");
    await filled().save(path);
    const text = await readFile(path, "utf8");
    const damaged = [
      "",
      "canary",
      text.slice(0, -5),
      text.replace('"host"', '"ho;st"'),
      "[]",
      '{"version":9}',
      "\u0000".repeat(100),
    ];
    for (const content of damaged) {
      await writeFile(path, content);
      await assert.rejects(CookieJar.load(path), (error) => {
        assert.ok(error instanceof Error && !error.message.includes("canary"));
        assert.deepEqual({ name: error.name, code: "code" in error ? error.code : "" }, FAILED);
        return true;
      });
    }
  });

  it("neither follow nor replace a symbolic link that was put in their way", async () => {
    await using directory = await temporary();
    const [victim, path] = [join(directory.path, "victim"), join(directory.path, "cookies.json")];
    await writeFile(victim, "precious");
    await symlink(victim, path);
    await assert.rejects(filled().save(path), {
      ...FAILED,
      message: /it is a symbolic link; pass the path of the file itself$/,
    });
    await assert.rejects(CookieJar.load(path), { ...FAILED, message: /it is a symbolic link$/ });
    assert.equal(await readFile(victim, "utf8"), "precious");
    assert.deepEqual((await readdir(directory.path)).toSorted(), ["cookies.json", "victim"]);
  });

  it("refuse what is not a file, and a directory that is not there", async () => {
    await using directory = await temporary();
    const path = join(directory.path, "sub");
    await mkdir(path);
    await assert.rejects(filled().save(path), { ...FAILED, message: /it is not a file/ });
    await assert.rejects(CookieJar.load(path), { ...FAILED, message: /it is not a file/ });
    await assert.rejects(filled().save(join(directory.path, "none", "x")), { ...FAILED, message: /ENOENT/ });
    await assert.rejects(CookieJar.load("/dev/null"), { ...FAILED, message: /it is not a file/ });
    assert.deepEqual(await readdir(directory.path), ["sub"]);
  });

  it("refuse arguments of a wrong kind", async () => {
    const wrong = { code: "MW_ERR_HTTP_INVALID_ARGUMENT" };
    await assert.rejects(CookieJar.load(""), wrong);
    await assert.rejects(CookieJar.load(1 as never), wrong);
    await assert.rejects(new CookieJar().save(""), wrong);
    await assert.rejects(new CookieJar().save("x", { sessionCookies: 1 as never }), wrong);
  });

  it("write the whole file even when they are cancelled", async () => {
    await using directory = await temporary();
    const path = join(directory.path, "cookies.json");
    await cancelScope(async (scope) => {
      const saving = filled().save(path);
      scope.cancel();
      await saving;
    });
    assert.equal((await CookieJar.load(path)).size, 4);
    assert.deepEqual(await readdir(directory.path), ["cookies.json"]);
  });

  it("do not mix what several write at once", async () => {
    await using directory = await temporary();
    const path = join(directory.path, "cookies.json");
    const jars = Array.from({ length: 8 }, (_, index) => {
      const jar = new CookieJar();
      for (let count = 0; count <= index; count += 1) jar.set(`c${count}=${index}; Max-Age=60`, "http://shop.test/");
      return jar;
    });
    await Promise.all(jars.map((jar) => jar.save(path)));
    const values = [...(await CookieJar.load(path))].map(({ value }) => Number(value));
    assert.equal(new Set(values).size, 1);
    assert.equal(values.length, (values[0] ?? 0) + 1);
    assert.deepEqual(await readdir(directory.path), ["cookies.json"]);
  });
});
