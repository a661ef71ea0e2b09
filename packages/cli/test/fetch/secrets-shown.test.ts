// What must not be seen: in records, in messages, and by servers it is not meant for.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { parseJsonLine } from "../../src/fetch/jsonl.ts";
import { parseOptions } from "../../src/fetch/options.ts";
import { recordOf, shownUrl } from "../../src/fetch/record.ts";
import { Secrets } from "../../src/fetch/secrets.ts";
import { Target } from "../../src/fetch/target.ts";
import { warningsOf } from "../../src/fetch/warnings.ts";
import { cli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

describe("a URL that is shown", () => {
  it("has no password, however the URL is spelled", () => {
    for (const url of [
      "http://me:hunter2@a/",
      "http:/me:hunter2@a/",
      "http:\\\\me:hunter2@a/",
      "http:me:hunter2@a/",
      "http:///me:hunter2@a/",
      "HTTP://me:hunter2@x@a/",
      "http:\t//me:hunter2@a/",
      "//me:hunter2@a/",
      "http://hunter2@a",
    ]) {
      assert.doesNotMatch(shownUrl(url), /hunter2/, url);
      assert.match(shownUrl(url), /\*\*\*@a/, url);
    }
  });

  it("has no values of query keys that are called like a secret", () => {
    assert.equal(
      shownUrl("http://a/?q=1&api_key=x&Token=y&%74oken=z#f"),
      "http://a/?q=1&api_key=***&Token=***&%74oken=***#f",
    );
    assert.equal(shownUrl("http://a/?key={{KEY}}"), "http://a/?key={{KEY}}");
  });

  it("is as it stands in the list otherwise", () => {
    for (const url of ["http://a/@b?c=d@e", "http://a/?q=%zz&x", "http://a/#?token=1", "http://a/token?q=1"]) {
      assert.equal(shownUrl(url), url);
    }
  });

  it("is so everywhere in a record", () => {
    const finalUrl = "http://b/?token=s3cr3t";
    const target = new Target(1, "http://u:s3cr3t@a/?sig=s3cr3t", "http://a");
    const record = recordOf(target, { bytes: 0, finalUrl, redirects: ["http://a/?sig=s3cr3t"] }, 1);
    assert.doesNotMatch(JSON.stringify(record), /s3cr3t/);
  });
});

describe("a line that cannot be read", () => {
  it("is shown by its URL alone", () => {
    const line = '{"url":"http://a/","headers":{"Authorization":"Bearer s3cr3t"}';
    assert.deepEqual(parseJsonLine(line), { url: "http://a/", problem: "this line is not JSON" });
    for (const other of ['{"headers":{"x":"s3cr3t"}', '["s3cr3t"]', '{"headers":{"x":"s3cr3t"}}', '"s3cr3t"']) {
      assert.equal(parseJsonLine(other).url, "{...}");
    }
    assert.equal(parseJsonLine(`http://me:s3cr3t@a/${"x".repeat(90)}`).url.length, 40);
  });
});

describe("--secret", () => {
  it("hides a value in every encoding", () => {
    const secrets = new Secrets(["KEY"], { KEY: "a b('+é" });
    const forms = ["a b('+é", "a+b('+é", "a%20b%28%27%2B%C3%A9", "a%20b('%2b%c3%A9", "%61%20b(%27+%C3%a9"];
    for (const form of forms) assert.equal(secrets.hide(`<${form}>`), "<{{KEY}}>", form);
    assert.equal(secrets.hide("a b("), "a b(");
  });

  it("in a header of a list stays with its host, and is checked", async () => {
    await using server = await TestServer.start();
    await using other = await TestServer.start();
    process.env["MEANWHILE_TEST_LINES"] = "two\nlines";
    process.env["MEANWHILE_TEST_TOKEN"] = "s3cr3t";
    const away = `${server.origin}/away/${encodeURIComponent(`${other.origin}/headers`)}`;
    const lines = [
      { url: away, headers: { "x-key": "{{MEANWHILE_TEST_TOKEN}}" } },
      { url: `${server.origin}/ok`, headers: { "x-key": "{{MEANWHILE_TEST_LINES}}" } },
    ];
    const args = ["--secret", "MEANWHILE_TEST_LINES", "--secret", "MEANWHILE_TEST_TOKEN", "--ordered", "-q"];
    const { records } = await cli(["fetch", "-", ...args], {
      input: lines.map((line) => JSON.stringify(line)).join("\n"),
    });
    assert.deepEqual(
      records.map(({ ok }) => ok),
      [true, false],
    );
    assert.deepEqual([server.seen.length, server.seen[0]?.headers["x-key"]], [1, "s3cr3t"]);
    assert.deepEqual([other.seen.length, other.seen[0]?.headers["x-key"]], [1, undefined]);
  });
});

describe("a warning", () => {
  it("is given for a password on the command line, that of a proxy too", () => {
    const warned = (...args: string[]): boolean => {
      const options = parseOptions(args);
      assert.ok(typeof options === "object");
      return warningsOf(options).includes("everybody on this machine");
    };
    assert.equal(warned("http://a/"), false);
    assert.equal(warned("http:me:hunter2@a/"), true);
    assert.equal(warned("http://a/", "-x", "http://me:hunter2@127.0.0.1:3128"), true);
    assert.equal(warned("http://a/", "-x", "http://127.0.0.1:3128"), false);
  });
});
