import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { CookieJar, HttpError } from "@meanwhile/http";
import { run, sleep } from "meanwhile";
import { MockClock } from "meanwhile/testing";

import { allowWarnings, expectWarning } from "../../../tools/test-setup.ts";

const REFUSED = "MW_WARN_HTTP_COOKIE_REFUSED";

/** What a jar sends to `asked` after `url` has set `line`. */
function sent(line: string, url: string, asked: string = url): string | undefined {
  const jar = new CookieJar();
  jar.storeFrom(new URL(url), [line]);
  return jar.cookieHeader(new URL(asked));
}

describe("CookieJar (C11)", () => {
  it("sends a cookie back to the host that set it, and to no other", () => {
    const cases: ReadonlyArray<[url: string, asked: string, isSent: boolean]> = [
      ["http://shop.test/", "http://shop.test/", true],
      ["http://shop.test/", "http://shop.test:8080/", true],
      ["http://shop.test/", "https://shop.test/", true],
      ["http://shop.test/", "http://www.shop.test/", false],
      ["http://www.shop.test/", "http://shop.test/", false],
      ["http://shop.test/", "http://evilshop.test/", false],
      ["http://127.0.0.1/", "http://127.0.0.1/", true],
      ["http://127.0.0.1/", "http://1.127.0.0.1.test/", false],
      ["http://10.0.0.1/", "http://0.0.1/", false],
      ["http://[::1]/", "http://[::1]/", true],
      ["http://[::1]/", "http://[::2]/", false],
    ];
    for (const [url, asked, isSent] of cases) {
      assert.equal(sent("a=1", url, asked), isSent ? "a=1" : undefined, `${url} ${asked}`);
    }
  });

  it("sends a cookie with a Domain to the hosts in it", () => {
    const cases: ReadonlyArray<[asked: string, isSent: boolean]> = [
      ["http://shop.test/", true],
      ["http://www.shop.test/", true],
      ["http://a.b.shop.test/", true],
      ["http://evilshop.test/", false],
      ["http://shop.test.evil.test/", false],
      ["http://test/", false],
    ];
    for (const domain of ["shop.test", ".shop.test", "SHOP.Test"]) {
      for (const [asked, isSent] of cases) {
        assert.equal(sent(`a=1; Domain=${domain}`, "http://www.shop.test/", asked), isSent ? "a=1" : undefined, asked);
      }
    }
  });

  it("refuses a Domain that is not the host's, a public suffix, or an address", async () => {
    await using _warnings = allowWarnings(REFUSED);
    const cases: ReadonlyArray<[url: string, domain: string]> = [
      ["http://shop.test/", "other.test"],
      ["http://shop.test/", "www.shop.test"],
      ["http://shop.test/", "test"],
      ["http://shop.test/", "."],
      ["http://shop.com/", "com"],
      ["http://shop.com/", "COM"],
      ["http://shop.com/", "com."],
      ["http://shop.co.uk/", "co.uk"],
      ["http://shop.co.uk./", "co.uk."],
      ["http://me.github.io/", "github.io"],
      ["http://evil.localhost/", "localhost"],
      ["http://1.2.3.4/", "3.4"],
      ["http://1.2.3.4/", ".2.3.4"],
      ["http://1.2.3.4/", "4"],
      ["http://[::1]/", "1]"],
      ["http://shop.test/", "shop.test:80"],
      ["http://shop.test/", "shop.test/x"],
      ["http://shop.test/", `${"a.".repeat(400)}shop.test`],
    ];
    for (const [url, domain] of cases) {
      const jar = new CookieJar();
      jar.storeFrom(new URL(url), [`a=1; Domain=${domain}`]);
      const seen = [...jar].filter((cookie) => !cookie.isHostOnly);
      assert.deepEqual(seen, [], `${url} ${domain}`);
    }
  });

  it("keeps a cookie whose Domain is the whole name of a host without subdomains for that host alone", () => {
    for (const host of ["127.0.0.1", "[::1]", "localhost", "github.io"]) {
      const jar = new CookieJar();
      jar.storeFrom(new URL(`http://${host}/`), [`a=1; Domain=${host}`]);
      assert.deepEqual(
        [...jar].map(({ domain, isHostOnly }) => [domain, isHostOnly]),
        [[host, true]],
      );
    }
  });

  it("sends a Secure cookie only over https or to this machine, and takes none from elsewhere", async () => {
    const line = "a=1; Secure";
    assert.equal(sent(line, "https://shop.test/"), "a=1");
    assert.equal(sent(line, "https://shop.test/", "http://shop.test/"), undefined);
    for (const host of ["localhost", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]"]) {
      assert.equal(sent(line, `http://${host}/`), "a=1", host);
    }
    await using warnings = expectWarning(REFUSED);
    for (const host of ["shop.test", "localhost.test", "10.0.0.1", "notlocalhost"]) {
      assert.equal(sent(line, `http://${host}/`, `https://${host}/`), undefined, host);
    }
    assert.match((await warnings.first()).message, /http:\/\/|shop\.test sets: it is Secure/);
  });

  it("does not let plain http hide a Secure cookie", async () => {
    await using _warnings = expectWarning(REFUSED);
    for (const [url, line] of [
      ["http://shop.test/", "id=evil"],
      ["http://www.shop.test/", "id=evil; Domain=shop.test"],
      ["http://www.shop.test/", "id=evil"],
      ["http://shop.test/a/b", "id=evil; Path=/a"],
    ] as const) {
      const jar = new CookieJar();
      jar.storeFrom(new URL("https://shop.test/"), ["id=good; Secure; Path=/; Domain=shop.test"]);
      jar.storeFrom(new URL(url), [line]);
      assert.deepEqual(
        [...jar].map(({ value }) => value),
        ["good"],
        line,
      );
    }
  });

  it("holds names with __Secure- and __Host- to their rules, in any case of letters", async () => {
    await using _warnings = expectWarning(REFUSED);
    const url = "https://www.shop.test/dir/";
    const cases: ReadonlyArray<[line: string, isKept: boolean]> = [
      ["__Secure-a=1; Secure", true],
      ["__Secure-a=1", false],
      ["__secure-a=1", false],
      ["__Host-a=1; Secure; Path=/", true],
      ["__Host-a=1; Secure", false],
      ["__Host-a=1; Path=/", false],
      ["__HOST-a=1; Secure; Path=/; Domain=www.shop.test", false],
      ["__Host-a=1; Secure; Path=/dir", false],
      ["=__Host-a=1", false],
    ];
    for (const [line, isKept] of cases) assert.equal(sent(line, url) !== undefined, isKept, line);
  });

  it("matches paths by whole segments, and takes the directory of the URL for one that is missing", () => {
    const cases: ReadonlyArray<[line: string, url: string, asked: string, isSent: boolean]> = [
      ["a=1; Path=/docs", "/", "/docs", true],
      ["a=1; Path=/docs", "/", "/docs/x", true],
      ["a=1; Path=/docs", "/", "/docsx", false],
      ["a=1; Path=/docs", "/", "/", false],
      ["a=1; Path=/docs/", "/", "/docs/x", true],
      ["a=1; Path=/docs/", "/", "/docs", false],
      ["a=1", "/a/b/c", "/a/b/d", true],
      ["a=1", "/a/b/c", "/a/x", false],
      ["a=1; Path=relative", "/a/b", "/a/x", true],
      [`a=1; Path=/${"x".repeat(2_000)}`, "/a/b", "/a/x", true],
      ["a=1; Path=/DOCS", "/", "/docs", false],
    ];
    for (const [line, url, asked, isSent] of cases) {
      const got = sent(line, `http://shop.test${url}`, `http://shop.test${asked}`);
      assert.equal(got, isSent ? "a=1" : undefined, `${line.slice(0, 40)} ${url} ${asked}`);
    }
  });

  it("sends longer paths first, then what was set first", () => {
    const jar = new CookieJar();
    const url = new URL("http://shop.test/a/b/c");
    jar.storeFrom(url, ["one=1; Path=/", "two=2; Path=/a/b", "three=3; Path=/", "four=4; Path=/a"]);
    jar.storeFrom(url, ["one=new; Path=/"]);
    assert.equal(jar.cookieHeader(url), "two=2; four=4; one=new; three=3");
    assert.equal(jar.cookieHeader(url), "two=2; four=4; one=new; three=3");
  });

  it("forgets a cookie when it ends, and at once when it is set with an end in the past", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
    const jar = new CookieJar();
    const url = new URL("http://shop.test/");
    jar.storeFrom(url, [
      "a=1; Max-Age=10",
      `b=2; Expires=${new Date(1_020_000).toUTCString()}`,
      "c=3; Max-Age=10; Expires=x",
    ]);
    t.mock.timers.tick(9_000);
    // Use does not make it last longer.
    assert.equal(jar.cookieHeader(url), "a=1; b=2; c=3");
    t.mock.timers.tick(1_000);
    assert.equal(jar.cookieHeader(url), "b=2");
    assert.equal(jar.size, 1);
    jar.storeFrom(url, ["b=; Max-Age=0"]);
    assert.deepEqual([jar.cookieHeader(url), jar.size], [undefined, 0]);
  });

  it("keeps no cookie for longer than 400 days", () => {
    const jar = new CookieJar();
    jar.set("gone=1", "http://shop.test/");
    jar.storeFrom(new URL("http://shop.test/"), [`gone=; Max-Age=-${"9".repeat(400)}`]);
    assert.doesNotMatch(jar.cookieHeader(new URL("http://shop.test/")) ?? "", /gone/);
    jar.set(`a=1; Max-Age=${"9".repeat(400)}`, "http://shop.test/");
    assert.match(jar.cookieHeader(new URL("http://shop.test/")) ?? "", /a=1/);
    jar.set("a=1; Max-Age=99999999999999999999", "http://shop.test/");
    const [cookie] = jar;
    assert.ok(Math.abs((cookie?.expiresAt ?? 0) - Date.now() - 400 * 86_400_000) < 10_000);
  });

  it("keeps what a browser would ask for: SameSite and HttpOnly", () => {
    const jar = new CookieJar();
    jar.set("a=1; SameSite=Strict; HttpOnly", "http://shop.test/");
    jar.set("b=2; SameSite=none", "http://shop.test/");
    jar.set("c=3; SameSite=odd", "http://shop.test/");
    assert.deepEqual(
      [...jar].map(({ sameSite, isHttpOnly }) => [sameSite, isHttpOnly]),
      [
        ["strict", true],
        ["none", false],
        [undefined, false],
      ],
    );
  });

  it("refuses cookies that are too long, have no name, or have control characters", async () => {
    await using _warnings = expectWarning(REFUSED);
    const url = "http://shop.test/";
    assert.equal(sent(`a=${"x".repeat(4_095)}`, url)?.length, 4_097);
    const bad = [`a=${"x".repeat(4_096)}`, `a=1; Path=/${"x".repeat(9_000)}`, "", "=", "=1", "noname", ";", "a"];
    for (let code = 0; code < 0x20; code += 1) if (code !== 9) bad.push(`a=1${String.fromCharCode(code)}2`);
    bad.push("a=1\u007f", "a\u0000b=1", "a=1; Path=/\r\nx", "a=\u2028", "a=1\t2");
    for (const line of bad) assert.equal(sent(line, url), undefined, JSON.stringify(line.slice(0, 20)));
  });

  it("keeps at most 50 cookies for a host, and gives up the ones used longest ago, the insecure first", () => {
    const jar = new CookieJar();
    const url = new URL("https://shop.test/");
    jar.storeFrom(url, ["safe=1; Secure"]);
    jar.storeFrom(
      url,
      Array.from({ length: 60 }, (_, index) => `c${index}=1`),
    );
    const names = [...jar].map(({ name }) => name);
    assert.equal(names.length, 50);
    assert.deepEqual([names[0], names[1], names.at(-1)], ["safe", "c11", "c59"]);
  });

  it("keeps at most 3 000 cookies, and gives up those that have ended before others", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
    const jar = new CookieJar();
    const host = (index: number) => new URL(`http://h${index}.test/`);
    jar.storeFrom(host(0), ["keep=1; Path=/"]);
    for (let index = 1; index < 3_000; index += 1)
      jar.storeFrom(host(index), [`a=1; Max-Age=${index === 2_000 ? 1 : 99}`]);
    assert.equal(jar.size, 3_000);
    t.mock.timers.tick(2_000);
    jar.storeFrom(host(9_001), ["a=1"]);
    assert.deepEqual([jar.cookieHeader(host(0)), jar.cookieHeader(host(2_000))], ["keep=1", undefined]);
    // It was used just now: the next one to go is another.
    jar.storeFrom(host(9_002), ["a=1"]);
    assert.deepEqual([jar.size, jar.cookieHeader(host(0)), jar.cookieHeader(host(1))], [3_000, "keep=1", undefined]);
  });

  it("takes the limits of its options", () => {
    const jar = new CookieJar({ maxCookies: 3, maxCookiesPerHost: 2, maxCookieBytes: 5, allowPublicSuffixes: true });
    for (const host of ["a.test", "b.test"])
      for (const name of ["x", "y", "z"]) jar.set(`${name}=1`, `http://${host}/`);
    assert.deepEqual(
      [...jar].map(({ domain, name }) => `${domain} ${name}`),
      ["a.test z", "b.test y", "b.test z"],
    );
    assert.throws(() => jar.set("abc=123", "http://a.test/"), { code: "MW_ERR_HTTP_COOKIE_REFUSED" });
    jar.set("x=1; Domain=test", "http://a.test/");
    assert.equal(jar.get("http://any.test/").length, 1);
  });

  it("refuses options and arguments of a wrong kind", () => {
    for (const options of [
      null,
      1,
      { maxCookies: 0 },
      { maxCookiesPerHost: 1.5 },
      { maxCookieBytes: "1" },
      { allowPublicSuffixes: 1 },
    ]) {
      assert.throws(() => new CookieJar(options as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    const jar = new CookieJar();
    for (const cookie of [
      null,
      1,
      {},
      { name: "a" },
      { name: "a", value: 1 },
      { name: "a", value: "", expires: new Date(NaN) },
      { name: "a", value: "", sameSite: "x" },
    ]) {
      assert.throws(() => jar.set(cookie as never, "http://shop.test/"), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    assert.throws(() => jar.set("a=1", "nonsense"), { code: "MW_ERR_HTTP_INVALID_URL" });
    assert.throws(() => jar.get("file:///x"), { code: "MW_ERR_HTTP_INVALID_URL" });
  });

  it("throws when a cookie that the program sets is refused, and does not show it", () => {
    const jar = new CookieJar();
    for (const cookie of [
      "a=canary; Domain=other.test",
      { name: "a", value: "canary\r\n" },
      { name: "a", value: "canary; Path=/" },
      { name: "a b=", value: "canary" },
      { name: " a", value: "canary" },
      { name: "a", value: "canary\u0100" },
      { name: "a", value: "canary", path: "/\n" },
      { name: "a", value: "canary", secure: true },
    ]) {
      assert.throws(
        () => jar.set(cookie, "http://shop.test/"),
        (error) =>
          error instanceof HttpError &&
          error.code === "MW_ERR_HTTP_COOKIE_REFUSED" &&
          !inspect(error).includes("canary"),
      );
    }
    assert.equal(jar.size, 0);
  });

  it("takes a cookie in parts", () => {
    const jar = new CookieJar();
    const expires = new Date(Date.now() + 60_000);
    const parts = { domain: "shop.test", path: "/a", expires, secure: true, httpOnly: true, sameSite: "lax" } as const;
    jar.set({ name: "a", value: "1", ...parts }, "https://www.shop.test/");
    assert.deepEqual(jar.get("https://shop.test/a"), [
      {
        name: "a",
        value: "1",
        domain: "shop.test",
        path: "/a",
        isHostOnly: false,
        isSecure: true,
        isHttpOnly: true,
        sameSite: "lax",
        expiresAt: expires.getTime(),
      },
    ]);
  });

  it("clears all cookies, or those that a function picks", () => {
    const jar = new CookieJar();
    for (const host of ["a.test", "b.test"]) jar.set("x=1", `http://${host}/`);
    jar.clear(({ domain }) => domain === "a.test");
    assert.deepEqual(
      [...jar].map(({ domain }) => domain),
      ["b.test"],
    );
    jar.clear();
    assert.equal(jar.size, 0);
  });

  it("may be changed while it is iterated", () => {
    const jar = new CookieJar();
    jar.set("x=1", "http://a.test/");
    for (const { domain } of jar) jar.set("x=1", `http://a.${domain}/`);
    assert.equal(jar.size, 2);
  });

  it("shows no cookie when it is printed", () => {
    const jar = new CookieJar();
    jar.set("x=canary", "http://a.test/");
    assert.doesNotMatch(inspect(jar, { depth: 9, showHidden: true }), /canary/);
  });

  it("warns once in 10 s of the bad cookies of a host, and counts the others (C15)", async () => {
    await using warnings = expectWarning(REFUSED);
    const jar = new CookieJar();
    await run(
      async () => {
        const url = new URL("http://evil.test/");
        for (let index = 0; index < 10_000; index += 1) jar.storeFrom(url, [`c${index}=canary; Domain=com`]);
        jar.storeFrom(new URL("http://other.test/"), ["a=1; Domain=com"]);
        await sleep(10_000);
        jar.storeFrom(url, ["a=1; Domain=com"]);
      },
      { clock: new MockClock() },
    );
    await warnings.first();
    const messages = warnings.seen.map(({ message }) => message);
    assert.equal(messages.length, 3);
    assert.match(
      messages[0] ?? "",
      /^Cannot keep a cookie that evil\.test sets: its Domain is not that of the host; it is dropped$/,
    );
    assert.match(messages[1] ?? "", /other\.test/);
    assert.match(messages[2] ?? "", /; 9999 more like it since the last one$/);
    assert.doesNotMatch(messages.join(""), /canary/);
  });

  it("takes time in proportion to what a server sends, whatever that is", async () => {
    await using _warnings = allowWarnings(REFUSED);
    const pieces = [
      "a=1",
      ";",
      "=",
      " ",
      "\t",
      ",",
      "Domain=",
      "Path=/",
      "Expires=",
      "1:1:1",
      "x",
      "Max-Age=9",
      "\u00ff",
      '"',
      "Secure",
      ".",
    ];
    const url = new URL(`http://${"a.".repeat(100)}test/`);
    const jar = new CookieJar();
    const lines = pieces.map((piece) => piece.repeat(8_000 / piece.length));
    let seed = 1;
    for (let round = 0; round < 300; round += 1) {
      let line = "a=1;";
      while (line.length < 8_000) {
        seed = (seed * 48_271) % 2_147_483_647;
        line += (pieces[seed % pieces.length] ?? "").repeat(1 + (seed % 7));
      }
      lines.push(line);
    }
    const begin = performance.now();
    for (const line of lines) jar.storeFrom(url, [line, `n${line}`, `Expires${line}`]);
    const bytes = lines.reduce((sum, line) => sum + 3 * line.length, 0);
    const micros = (performance.now() - begin) * 1_000;
    // Takes about a tenth of this.
    assert.ok(micros < bytes, `${micros.toFixed(0)} µs for ${bytes} bytes`);
  });
});
