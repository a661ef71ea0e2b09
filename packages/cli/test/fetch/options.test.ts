// The command line of `meanwhile fetch`.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type FetchOptions, parseOptions } from "../../src/fetch/options.ts";
import { Secrets } from "../../src/fetch/secrets.ts";

function parsed(...args: string[]): FetchOptions {
  const options = parseOptions(args);
  assert.ok(typeof options === "object");
  return options;
}

describe("options of fetch", () => {
  it("have the documented defaults", () => {
    const { plan, okStatuses, ...rest } = parsed("http://a/");
    assert.deepEqual(plan, {
      method: "GET",
      headers: [],
      shownHeaders: [],
      body: undefined,
      shownBody: undefined,
      secrets: new Secrets([], {}),
      isExposed: false,
    });
    assert.deepEqual(
      [99, 100, 399, 400].map((status) => okStatuses.has(status)),
      [false, true, true, false],
    );
    const expected: Omit<FetchOptions, "plan" | "okStatuses"> = {
      sources: [{ kind: "argument", text: "http://a/" }],
      concurrency: 50,
      perHost: 6,
      rate: Infinity,
      perHostRate: Infinity,
      adaptive: false,
      retries: 3,
      retryMaxMs: 120_000,
      maxHostErrors: 30,
      maxErrors: Infinity,
      timeoutMs: undefined,
      connectMs: 10_000,
      idleMs: 15_000,
      minSpeed: 0,
      deadlineMs: Infinity,
      maxBytes: 2 ** 30,
      maxTotalBytes: Infinity,
      minFreeBytes: 100 * 2 ** 20,
      network: {
        session: { http2: false, privateRedirects: false },
        httpVersion: undefined,
        cookieJar: undefined,
        cacert: undefined,
        isInsecure: false,
      },
      files: undefined,
      body: "none",
      sha256: false,
      checksum: undefined,
      progress: "auto",
      quiet: false,
      print: undefined,
      inputFormat: "auto",
      dedupe: false,
      maxUrls: Infinity,
      retryAllMethods: false,
      graceMs: 5_000,
      state: undefined,
      onlyFailed: false,
      quietSkipped: false,
      recordsFile: undefined,
      format: undefined,
      fields: undefined,
      ordered: false,
      trace: undefined,
      cluster: undefined,
    };
    assert.deepEqual(rest, expected);
  });

  it("take URLs, files and stdin together", () => {
    assert.deepEqual(parsed("http://a/", "-", "-i", "list", "--input=more").sources, [
      { kind: "argument", text: "http://a/" },
      { kind: "stdin" },
      { kind: "file", path: "list" },
      { kind: "file", path: "more" },
    ]);
    assert.deepEqual(parsed("-i", "-").sources, [{ kind: "stdin" }]);
  });

  it("read 0 as no limit", () => {
    const { timeoutMs, connectMs, idleMs, maxBytes } = parsed(
      ..."http://a/ --timeout 0 --connect-timeout 0 --idle-timeout 0 --max-size 0".split(" "),
    );
    assert.deepEqual([timeoutMs, connectMs, idleMs, maxBytes], [Infinity, Infinity, Infinity, Infinity]);
  });

  it("take headers apart", () => {
    const { plan } = parsed("http://a/", "-H", "Accept: text/html", "-H", "x-a:b:c", "-H", "X-Empty:");
    assert.deepEqual(plan.headers, [
      ["accept", "text/html"],
      ["x-a", "b:c"],
      ["x-empty", ""],
    ]);
  });

  for (const [why, args] of Object.entries({
    "nothing to fetch": [],
    "an unknown option": ["--nonsense", "http://a/"],
    "an option without its value": ["http://a/", "-o"],
    "a count that is none": ["http://a/", "-c", "many"],
    "a count of zero": ["http://a/", "-c", "0"],
    "a negative count": ["http://a/", "--per-host=-1"],
    "a rate of nothing": ["http://a/", "--rate", "0"],
    "a time that is none": ["http://a/", "--timeout", "soon"],
    "a size that is none": ["http://a/", "--max-size", "big"],
    "an unknown kind of body": ["http://a/", "--body", "hex"],
    "an unknown kind of progress": ["http://a/", "--progress", "fancy"],
    "bodies in two places": ["http://a/", "--body", "text", "-o", "out"],
    "stdin twice": ["-", "-i", "-"],
    "a header without a colon": ["http://a/", "-H", "accept"],
    "a header with a bad name": ["http://a/", "-H", "a b: c"],
    "a header with a line break": ["http://a/", "-H", "a: b\r\nx: y"],
    "a rate for hosts of nothing": ["http://a/", "--per-host-rate", "0/s"],
    "a status that is none": ["http://a/", "--ok", "200,99"],
    "a range of statuses from the wrong end": ["http://a/", "--ok", "299-200"],
    "two ways to stop at failures": ["http://a/", "--fail-fast", "--max-errors", "3"],
    "to stop at no failure": ["http://a/", "--max-errors", "0"],
    "a deadline that is none": ["http://a/", "--deadline", "tomorrow"],
    "a speed that is none": ["http://a/", "--min-speed", "fast"],
    "a template without a directory": ["http://a/", "--name", "{host}"],
    "a template with an unknown field": ["http://a/", "-o", "x", "--name", "{user}"],
    "a template with an open brace": ["http://a/", "-o", "x", "--name", "{host"],
    "an empty template": ["http://a/", "-o", "x", "--name", " "],
    "to resume without a directory": ["http://a/", "--resume"],
    "to overwrite and to skip": ["http://a/", "-o", "x", "--overwrite", "--skip-existing"],
    "to skip by names of servers": ["http://a/", "-o", "x", "--content-disposition", "--skip-existing"],
    "to resume by names of servers": ["http://a/", "-o", "x", "--content-disposition", "--resume"],
    "a checksum that is none": ["http://a/", "--checksum", "md5:00"],
    "a checksum for two URLs": ["http://a/", "http://b/", "--checksum", `sha256:${"0".repeat(64)}`],
    "a checksum for a list": ["-i", "x", "--checksum", `sha256:${"0".repeat(64)}`],
    "a method that is none": ["http://a/", "-X", "GET /x"],
    "the method of proxies": ["http://a/", "-X", "connect"],
    "two bodies": ["http://a/", "--data", "x", "--json", "{}"],
    "JSON that is none": ["http://a/", "--json", "{"],
    "a secret that is not set": ["http://a/", "--secret", "MEANWHILE_TEST_NOT_SET"],
    "a secret that is no name": ["http://a/", "--secret", "s3cr3t!"],
    "a user without a password": ["http://a/", "--user", "me"],
    "two ways to say who asks": ["http://a/", "--user", "me:x", "--token-file", "x"],
    "two authorizations": ["http://a/", "--user", "me:x", "-H", "Authorization: y"],
    "a proxy that is none": ["http://a/", "--proxy", "ftp://x"],
    "to believe nobody and everybody": ["http://a/", "-k", "--cacert", "x"],
    "two versions of HTTP": ["http://a/", "--http1", "--http2"],
    "an address that is none": ["http://a/", "--resolve", "a:b"],
    "to print two things": ["http://a/", "--curl", "--dry-run"],
    "a range that is none": ["http://a/[9-1]", "--glob"],
    "a list that does not end": ["http://a/{x,y", "--glob"],
    "too many URLs": ["http://a/[1-1000]/[1-1000]", "--glob"],
    "a header of the connection": ["http://a/", "-H", "Content-Length: 5"],
  })) {
    it(`refuse ${why}`, () => {
      assert.throws(
        () => parseOptions(args),
        (error: Error & { exitCode: number }) => {
          assert.equal(error.exitCode, 2);
          assert.doesNotMatch(error.message, /\n|\.$/);
          return true;
        },
      );
    });
  }

  it("never show the value of a header that is refused", () => {
    assert.throws(
      () => parseOptions(["http://a/", "-H", "authorization: secret\u0001"]),
      (error: Error) => {
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
});

describe("options of fetch", () => {
  it("take any form of 0 as no grace", () => {
    for (const zero of ["0", "0s", "0ms", "0.0"]) assert.equal(parsed("http://a/", "--grace", zero).graceMs, 0);
  });

  it("cannot name one file for two things", () => {
    for (const args of [
      ["--state", "x", "--jsonl", "x"],
      ["--state", "x", "--jsonl", "./x"],
      ["--jsonl", "x", "--trace", "y/../x"],
      ["-i", "x", "--jsonl", "x"],
      ["--cookie-jar", "x", "--jsonl", "x"],
      ["-i", "x", "--state", "x"],
    ]) {
      assert.throws(() => parseOptions(["http://a/", ...args]), /cannot use the same file/, args.join(" "));
    }
    assert.equal(parsed("http://a/", "--jsonl", "/dev/null", "--trace", "/dev/null").trace, "/dev/null");
  });

  it("take names of hosts as URLs have them", () => {
    const { session } = parsed("http://a/", "--resolve", "Bücher.example:81:127.0.0.1").network;
    assert.deepEqual(session.dns?.resolve, { "xn--bcher-kva.example:81": "127.0.0.1" });
    assert.throws(() => parseOptions(["http://a/", "--resolve", "a b:127.0.0.1"]), /is no name of a host/);
  });
});
