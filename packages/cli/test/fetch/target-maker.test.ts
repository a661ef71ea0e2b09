// What a list says is the same target whether its host was named just before or not.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { TargetMaker } from "../../src/fetch/target-maker.ts";
import { Target } from "../../src/fetch/target.ts";

const PATHS = [
  "",
  "a",
  "../..",
  "\\evil.test",
  "/evil.test",
  "@evil.test/",
  "\ta\nb",
  " ",
  "?#",
  "\ud800",
  "%",
  ":99999",
  "[",
  "\0",
];
const HOSTS = [
  "http://a.test/",
  "http://a.test:8080/",
  "https://a.test/",
  "http://[::1]/",
  "http://b.test/",
  "http://a.test@b.test/",
];
const OTHERS = [
  "HTTP://A.test/x",
  "http://a.test:80/x",
  "http:a.test/x",
  "http://a.test",
  "http://a.test\\x",
  "ftp://a.test/x",
  "a.test/x",
  "",
];

describe("a list of URLs", () => {
  it("has the targets, and the bad lines, that each of them alone would be", () => {
    const texts = HOSTS.flatMap((host) => PATHS.map((path) => `${host}${path}`));
    const maker = new TargetMaker();
    for (const text of [...texts, ...texts.toReversed(), ...OTHERS.flatMap((other) => ["http://a.test/", other])]) {
      const url = URL.parse(text);
      const made = maker.make(1, text);
      assert.deepEqual(made, new TargetMaker().make(1, text));
      const isHttp = url !== null && /^https?:$/.test(url.protocol);
      assert.equal(
        made instanceof Target ? made.origin : undefined,
        isHttp ? url.origin : undefined,
        JSON.stringify(text),
      );
    }
  });
});
