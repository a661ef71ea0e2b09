import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";

import { noProxyRule, proxiesOfEnvironment } from "../src/proxy-environment.ts";
import { serveHttpProxy } from "./proxy-servers.ts";
import { serve } from "./servers.ts";

/** A list, a URL, and whether it goes without a proxy. */
const CASES: ReadonlyArray<[list: string, url: string, isDirect: boolean]> = [
  ["", "http://example.com/", false],
  [",, ,", "http://example.com/", false],
  ["*", "http://example.com/", true],
  ["other.com, *", "http://example.com/", true],
  ["*.com", "http://example.com/", false],
  ["example.com", "http://example.com/", true],
  ["example.com", "https://example.com:8443/", true],
  ["EXAMPLE.com", "http://example.COM/", true],
  ["example.com", "http://www.example.com/", true],
  [".example.com", "http://www.example.com/", true],
  [".example.com", "http://example.com/", true],
  ["example.com.", "http://example.com/", true],
  ["example.com", "http://example.com./", true],
  ["example.com", "http://notexample.com/", false],
  ["example.com", "http://example.com.evil.test/", false],
  ["www.example.com", "http://example.com/", false],
  ["com", "http://example.com/", true],
  ["a.test b.test", "http://b.test/", true],
  ["a.test,b.test", "http://b.test/", true],
  [" a.test ,\tb.test\n", "http://b.test/", true],
  ["example.com:8080", "http://example.com:8080/", true],
  ["example.com:8080", "http://example.com/", false],
  ["example.com:80", "http://example.com/", true],
  ["example.com:443", "https://www.example.com/", true],
  ["example.com:443", "http://example.com/", false],
  ["127.0.0.1", "http://127.0.0.1/", true],
  ["127.0.0.1", "http://127.0.0.1:81/", true],
  ["127.0.0.1", "http://2130706433/", true],
  ["127.0.0.1:81", "http://127.0.0.1:82/", false],
  ["0.0.1", "http://127.0.0.1/", false],
  ["127.0.0", "http://127.0.0.1/", false],
  ["127.0.0.0/8", "http://127.4.5.6/", true],
  ["127.0.0.0/8", "http://128.0.0.1/", false],
  ["10.0.0.0/9", "http://10.127.0.1/", true],
  ["10.0.0.0/9", "http://10.128.0.1/", false],
  ["10.1.2.3/32", "http://10.1.2.3/", true],
  ["0.0.0.0/0", "http://10.1.2.3/", true],
  ["0.0.0.0/0", "http://example.com/", false],
  ["10.0.0.0/33", "http://10.0.0.0/", false],
  ["10.0.0.0/x", "http://10.0.0.0/", false],
  ["10.0.0.0/8/8", "http://10.0.0.0/", false],
  ["::1", "http://[::1]/", true],
  ["[::1]", "http://[0:0::1]:8080/", true],
  ["[::1]:8080", "http://[::1]:8080/", true],
  ["[::1]:8080", "http://[::1]:8081/", false],
  ["0:0:0:0:0:0:0:1", "http://[::1]/", true],
  ["fe80::/10", "http://[fe80::1]/", true],
  ["[fe80::]/10", "http://[fe80::1]/", true],
  ["fe80::/10", "http://[fec0::1]/", false],
  ["::1", "http://127.0.0.1/", false],
  ["localhost", "http://localhost:3000/", true],
  ["localhost", "http://127.0.0.1:3000/", false],
];

const nameOf = (environment: Readonly<Record<string, string>>, url: string): string | null =>
  proxiesOfEnvironment(environment)(new URL(url))?.name ?? null;

describe("no_proxy", () => {
  it("means what it means to curl", () => {
    for (const [list, url, isDirect] of CASES) {
      assert.equal(noProxyRule(list)(new URL(url)), isDirect, `no_proxy=${JSON.stringify(list)} ${url}`);
    }
  });

  it("takes time in proportion to its length", () => {
    const began = performance.now();
    const isDirect = noProxyRule(
      `${"[".repeat(50_000)},${"a:".repeat(50_000)},${".".repeat(50_000)},${"1/".repeat(50_000)}`,
    );
    isDirect(new URL("http://example.com/"));
    assert.ok(performance.now() - began < 500);
  });
});

describe("the proxies of the environment (C13)", () => {
  const [A, B, C] = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"];

  it("are chosen by the scheme; small letters win, and all_proxy stands in", () => {
    const cases: ReadonlyArray<[Readonly<Record<string, string>>, http: string | null, https: string | null]> = [
      [{}, null, null],
      [{ http_proxy: A }, A, null],
      [{ https_proxy: B }, null, B],
      [{ all_proxy: C }, C, C],
      [{ ALL_PROXY: C, https_proxy: B }, C, B],
      [{ HTTP_PROXY: A, HTTPS_PROXY: B }, A, B],
      [{ HTTP_PROXY: A, http_proxy: C, HTTPS_PROXY: B, https_proxy: C }, C, C],
      [{ http_proxy: "", HTTP_PROXY: A }, A, null],
      [{ http_proxy: "127.0.0.1:1" }, A, null],
      [{ all_proxy: "socks5h://127.0.0.1" }, "socks5h://127.0.0.1:1080", "socks5h://127.0.0.1:1080"],
      [{ all_proxy: C, NO_PROXY: "example.com" }, null, null],
      [{ all_proxy: C, no_proxy: "other.com", NO_PROXY: "example.com" }, C, C],
    ];
    for (const [environment, http, https] of cases) {
      const name = JSON.stringify(environment);
      assert.equal(nameOf(environment, "http://example.com/"), http, name);
      assert.equal(nameOf(environment, "https://example.com/"), https, name);
    }
  });

  it("leave HTTP_PROXY out where it is what a client has sent", () => {
    const cgi = { REQUEST_METHOD: "GET", HTTP_PROXY: A };
    assert.equal(nameOf(cgi, "http://example.com/"), null);
    assert.equal(nameOf({ ...cgi, http_proxy: B }, "http://example.com/"), B);
  });

  it("say which variable is wrong, and not what is in it", () => {
    assert.throws(
      () => proxiesOfEnvironment({ https_proxy: "ftp://user:canary@127.0.0.1" }),
      (error: Error) => {
        assert.match(error.message, /'https_proxy' is no URL of a proxy/);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      },
    );
  });

  it("are used only with trustEnv, and less than the option proxy", async () => {
    await using server = await serve((_request, response) => response.end("hello"));
    await using proxy = await serveHttpProxy();
    await using other = await serveHttpProxy();
    const before = process.env["http_proxy"];
    process.env["http_proxy"] = `http://127.0.0.1:${proxy.port}`;
    try {
      for (const [options, count] of [
        [{}, 0],
        [{ trustEnv: false }, 0],
        [{ trustEnv: true }, 1],
        [{ trustEnv: true, proxy: `http://127.0.0.1:${other.port}` }, 1],
      ] as const) {
        await using session = new ClientSession(options);
        assert.equal(await (await session.get(server.url)).text(), "hello");
        assert.equal(proxy.asked.length, count);
      }
      assert.equal(other.asked.length, 1);
    } finally {
      if (before === undefined) delete process.env["http_proxy"];
      else process.env["http_proxy"] = before;
    }
    assert.throws(() => new ClientSession({ trustEnv: 1 as never }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });
});
