// Lines of a list that are objects of JSON.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { parseJsonLine } from "../../src/fetch/jsonl.ts";

const URL = "http://a/";

function requestOf(line: object): object {
  const parsed = parseJsonLine(JSON.stringify({ url: URL, ...line }));
  assert.ok(parsed.problem === undefined, "it is refused");
  // Without the fields that were not said.
  return JSON.parse(JSON.stringify({ ...parsed.request, body: parsed.request.body && String(parsed.request.body) }));
}

describe("a line of JSON", () => {
  it("says all of a request", () => {
    const sum = "0".repeat(64);
    const line = {
      id: 7,
      method: "put",
      headers: { "X-A": "1" },
      body: "text",
      out: "name",
      checksum: `sha256:${sum}`,
    };
    assert.deepEqual(requestOf(line), {
      id: "7",
      method: "PUT",
      headers: [
        ["x-a", "1"],
        ["content-type", "text/plain;charset=UTF-8"],
      ],
      body: "text",
      out: "name",
      checksum: sum,
    });
  });

  it("is a POST of JSON, of text or of bytes if it has a body", () => {
    const json = ["content-type", "application/json"];
    assert.deepEqual(requestOf({ json: { a: [1] } }), { method: "POST", headers: [json], body: '{"a":[1]}' });
    assert.deepEqual(requestOf({ json: null }), { method: "POST", headers: [json], body: "null" });
    assert.deepEqual(requestOf({ bodyBase64: "aGk=" }), { method: "POST", headers: [], body: "hi" });
  });

  it("keeps a content type of its own", () => {
    const headers = { "Content-Type": "text/csv" };
    assert.deepEqual(requestOf({ body: "a", headers }), {
      method: "POST",
      headers: [["content-type", "text/csv"]],
      body: "a",
    });
  });

  for (const [why, line] of Object.entries({
    "this line is not JSON": "{",
    "this line is no object": "[1]",
    '"url" is missing': "{}",
    '"url" is missing, or no text': '{"url":1}',
    '"depth" is no key': '{"url":"http://a/","depth":1}',
    '"__proto__" is no key': '{"url":"http://a/","__proto__":{}}',
    '"method" is none of': '{"url":"http://a/","method":"CONNECT"}',
    "sends no body": '{"url":"http://a/","method":"GET","body":"x"}',
    "only one of": '{"url":"http://a/","body":"x","json":1}',
    '"body" is no text': '{"url":"http://a/","body":{}}',
    "no base64": '{"url":"http://a/","bodyBase64":"a"}',
    '"headers" is no object': '{"url":"http://a/","headers":[]}',
    "is no text": '{"url":"http://a/","headers":{"a":1}}',
    "no name of a header": '{"url":"http://a/","headers":{"a: b":"1"}}',
    "characters a header cannot have": '{"url":"http://a/","headers":{"a":"1\\r\\nb: c"}}',
    "belongs to the connection": '{"url":"http://a/","headers":{"Transfer-Encoding":"chunked"}}',
    '"id" is no text': '{"url":"http://a/","id":""}',
    '"out" is no text': `{"url":"http://a/","out":"${"x".repeat(2_000)}"}`,
    "is not sha256": '{"url":"http://a/","checksum":"md5:0"}',
  })) {
    it(`is refused when ${why}: ${line.slice(0, 60)}`, () => {
      const { problem } = parseJsonLine(line);
      assert.ok(problem?.includes(why), problem ?? "it is taken");
    });
  }

  it("shows no value of a header in what it says is wrong", () => {
    const { problem } = parseJsonLine('{"url":"http://a/","headers":{"authorization":"hunter2\\n"}}');
    assert.doesNotMatch(problem ?? "", /hunter/);
  });
});
