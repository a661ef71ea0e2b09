import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { originRule } from "../src/origins.ts";

const PLAIN = { host: "example.com", isSecure: false, localAddress: "192.0.2.1" };
const SECURE = { ...PLAIN, isSecure: true };

describe("allowedOrigins", () => {
  it("lets in whoever sends no Origin, as that is no browser", () => {
    assert.ok(originRule("same-host")(undefined, PLAIN));
    assert.ok(originRule(["https://example.com"])(undefined, PLAIN));
  });

  for (const [origin, host, isAllowed] of [
    ["https://example.com", "example.com", true],
    ["http://example.com", "example.com", true],
    ["https://EXAMPLE.com", "example.COM", true],
    ["https://example.com:8443", "example.com:8443", true],
    ["https://example.com", "example.com:443", true],
    ["https://example.com:443", "example.com", true],
    ["http://[::1]:8080", "[::1]:8080", true],
    ["https://example.com", "example.com:8443", false],
    ["https://evil.test", "example.com", false],
    ["https://example.com.evil.test", "example.com", false],
    ["https://evil.test/example.com", "example.com", false],
    ["https://example.com@evil.test", "example.com", false],
    ["null", "null", false],
    ["file://", "", false],
    ["data:text/html,x", "example.com", false],
    ["https://example.com, https://evil.test", "example.com", false],
    ["", "example.com", false],
    ["https://example.com", undefined, false],
    ["https://evil.test", "evil.test/example.com", false],
    ["https://evil.test", "example.com@evil.test", false],
  ] as const) {
    it(`${isAllowed ? "lets in" : "refuses"} ${origin || "an empty origin"} at ${host} by default`, () => {
      assert.equal(originRule("same-host")(origin, { ...PLAIN, host }), isAllowed);
    });
  }

  for (const [host, localAddress, isAllowed] of [
    ["evil.test:8080", "127.0.0.1", false],
    ["evil.test:8080", "::1", false],
    ["evil.test:8080", "::ffff:127.0.0.1", false],
    ["127.evil.test", "127.0.0.1", false],
    ["localhost.evil.test", "127.0.0.1", false],
    ["192.0.2.1:8080", "127.0.0.1", false],
    ["localhost:8080", "127.0.0.1", true],
    ["app.localhost", "127.0.0.1", true],
    ["127.0.0.1:8080", "127.0.0.1", true],
    ["127.1", "127.0.0.1", true],
    ["[::1]:8080", "::1", true],
    ["example.com", "192.0.2.1", true],
    ["example.com", undefined, true],
  ] as const) {
    it(`${isAllowed ? "lets in" : "refuses"} a page of ${host} that came to ${localAddress ?? "a Unix socket"}`, () => {
      assert.equal(originRule("same-host")(`http://${host}`, { host, isSecure: false, localAddress }), isAllowed);
    });
  }

  it("lets in what is listed, wherever it came to", () => {
    const rule = originRule(["https://example.com"]);
    assert.ok(rule("https://example.com", { ...PLAIN, localAddress: "127.0.0.1" }));
  });

  it("lets no page without TLS into a server that has it", () => {
    assert.ok(originRule("same-host")("https://example.com", SECURE));
    assert.ok(!originRule("same-host")("http://example.com", SECURE));
    assert.ok(originRule(["http://example.com"])("http://example.com", SECURE));
  });

  it("compares listed origins as origins, and no more of them", () => {
    const rule = originRule(["https://example.com", "http://localhost:3000/"]);
    assert.ok(rule("https://example.com", PLAIN));
    assert.ok(rule("http://localhost:3000", PLAIN));
    assert.ok(!rule("http://example.com", PLAIN));
    assert.ok(!rule("https://example.com.evil.test", PLAIN));
    assert.ok(!rule("null", PLAIN));
  });

  it("matches patterns against whole origins, whatever flags they have", () => {
    const rule = originRule([/https:\/\/(?:a|b)\.example\.com/g, /http:\/\/x|http:\/\/xy/my]);
    for (let round = 0; round < 3; round++) assert.ok(rule("https://a.example.com", PLAIN));
    assert.ok(rule("http://xy", PLAIN));
    assert.ok(!rule("https://a.example.com.evil.test", PLAIN));
    assert.ok(!rule("https://evil.test/?https://a.example.com", PLAIN));
    assert.ok(!rule("http://x\nhttp://evil", PLAIN));
  });

  it("says how to fix what is no origin", () => {
    for (const bad of [
      "example.com",
      ["example.com"],
      ["null"],
      [7],
      ["https://*.example.com"],
      ["wss://a.test"],
      "none",
      null,
    ]) {
      assert.throws(() => originRule(bad as never), { code: "MW_ERR_WS_INVALID_ARGUMENT" }, String(bad));
    }
  });
});
