// What a shell makes of a printed command of curl.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";

import { renderCurl } from "../../src/fetch/curl-command.ts";
import { parseOptions } from "../../src/fetch/options.ts";
import { Target, type TargetRequest } from "../../src/fetch/target.ts";

process.env["MEANWHILE_TEST_KEY"] = "a/b 1";

function commandFor(url: string, request: TargetRequest, ...args: string[]): string {
  const options = parseOptions([url, ...args]);
  assert.ok(typeof options === "object");
  return renderCurl(new Target(1, url, "", request), options);
}

/** The words that curl gets, and its stdin. */
function run(command: string): { words: string[]; input: Buffer } {
  const program = `curl() { printf '%s\\0' "$@" >&2; cat; }; jq() { cat >/dev/null; printf %s ENCODED; }; ${command}`;
  const env = { ...process.env, AUTHORIZATION: "Basic x" };
  const { stdout, stderr, status } = spawnSync("bash", ["-c", program], { env });
  assert.equal(status, 0);
  return { words: stderr.toString().split("\0").slice(0, -1), input: stdout };
}

function has(words: readonly string[], option: string, value: string): boolean {
  return words.some((word, index) => word === option && words[index + 1] === value);
}

describe("a command of curl", () => {
  it("sends bytes that are no text through a pipe", () => {
    const body = Buffer.from([0, 255, 39, 92, 37, 10, 65]);
    const { words, input } = run(commandFor("http://a/", { method: "POST", body }));
    assert.ok(has(words, "--data-binary", "@-"));
    assert.ok(has(words, "-H", "content-type:"));
    assert.deepEqual(input, body);
  });

  it("sends an empty body, and an empty header, as such", () => {
    const { words } = run(commandFor("http://a/", {}, "--data", "", "-H", "X-Empty:"));
    assert.ok(has(words, "--data-raw", ""));
    assert.ok(has(words, "-H", "x-empty;"));
  });

  it("does not call a body a form", () => {
    assert.ok(
      has(run(commandFor("http://a/", {}, "--data", "x")).words, "-H", "content-type: text/plain;charset=UTF-8"),
    );
    const { words } = run(commandFor("http://a/", {}, "--data", "x", "-H", "Content-Type: text/csv"));
    assert.equal(words.filter((word) => word.startsWith("content-type")).length, 1);
  });

  it("sends HEAD with a body as such", () => {
    const { words } = run(commandFor("http://a/", {}, "-X", "HEAD", "--data", "x"));
    assert.ok(has(words, "-X", "HEAD") && has(words, "--data-raw", "x"));
    assert.ok(!words.includes("-I"));
    assert.ok(run(commandFor("http://a/", {}, "-X", "HEAD")).words.includes("-I"));
  });

  it("has secrets in URLs percent-encoded by the shell", () => {
    for (const place of ["{{MEANWHILE_TEST_KEY}}", "%7B%7BMEANWHILE_TEST_KEY%7D%7D"]) {
      const command = commandFor(`http://a/?k=${place}&x=1`, {}, "--secret", "MEANWHILE_TEST_KEY");
      assert.doesNotMatch(command, /a\/b 1/);
      assert.equal(run(command).words.at(-1), "http://a/?k=ENCODED&x=1");
    }
  });

  it("has credentials of a URL as a variable", () => {
    const command = commandFor("http://me:hunter2@a/?token=x", {});
    assert.doesNotMatch(command, /hunter2/);
    const { words } = run(command);
    assert.equal(words.at(-1), "http://a/?token=x");
    assert.ok(has(words, "-H", "authorization: Basic x"));
  });

  it("connects as fetch does", () => {
    const proxied = commandFor("https://a/", {}, "-k", "-x", "http://me:hunter2@127.0.0.1:1");
    assert.doesNotMatch(proxied, /hunter2/);
    const { words } = run(proxied);
    assert.ok(words.includes("-k") && has(words, "-x", "http://127.0.0.1:1") && words.includes("--proxy-user"));
    for (const [option, version] of [
      ["--http1", "--http1.1"],
      ["--http2", "--http2"],
    ] as const) {
      assert.ok(run(commandFor("https://a/", {}, option)).words.includes(version));
    }
    const file = import.meta.filename;
    const resolve = ["--resolve", "a:::1", "--resolve", "b:127.0.0.1", "--resolve", "c:81:127.0.0.2"];
    const wordsFor = (url: string): string[] => run(commandFor(url, {}, "--cacert", file, ...resolve)).words;
    assert.ok(has(wordsFor("https://a/"), "--cacert", file));
    assert.ok(has(wordsFor("https://a/"), "--resolve", "a:443:[::1]"));
    assert.ok(has(wordsFor("http://b:8080/"), "--resolve", "b:8080:127.0.0.1"));
    assert.ok(has(wordsFor("http://c:81/"), "--resolve", "c:81:127.0.0.2"));
    assert.ok(!wordsFor("http://c/").includes("--resolve"));
  });
});
