// The command line of `meanwhile fetch`.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { FETCH_HELP } from "../../src/fetch/help.ts";
import { type FetchOptions, parseOptions } from "../../src/fetch/options.ts";

function parsed(...args: string[]): FetchOptions {
  const options = parseOptions(args);
  assert.ok(typeof options === "object");
  return options;
}

describe("options of fetch", () => {
  it("have the documented defaults", () => {
    assert.deepEqual(parsed("http://a/"), {
      sources: [{ kind: "argument", text: "http://a/" }],
      concurrency: 50,
      perHost: 6,
      rate: Infinity,
      retries: 3,
      timeoutMs: undefined,
      connectMs: 10_000,
      idleMs: 15_000,
      maxBytes: 2 ** 30,
      headers: [],
      directory: undefined,
      body: "none",
      progress: "auto",
      quiet: false,
    });
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
    const { headers } = parsed("http://a/", "-H", "Accept: text/html", "-H", "x-a:b:c", "-H", "X-Empty:");
    assert.deepEqual(headers, [
      ["accept", "text/html"],
      ["x-a", "b:c"],
      ["x-empty", ""],
    ]);
  });

  it("are all in the help", () => {
    const names =
      "input concurrency per-host rate retries timeout connect-timeout idle-timeout max-size output body header progress quiet help version";
    for (const name of names.split(" ")) assert.match(FETCH_HELP, new RegExp(`--${name}\\b`));
    for (const line of FETCH_HELP.split("\n")) assert.ok(line.length <= 80, line);
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
