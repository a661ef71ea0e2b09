// Records as lines.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { checkFields } from "../../src/fetch/fields.ts";
import { createFormatter } from "../../src/fetch/formats/formatter.ts";
import { csvLine, tsvLine } from "../../src/fetch/formats/separated.ts";
import type { FetchRecord } from "../../src/fetch/record.ts";

const RECORD: FetchRecord = { index: 1, url: "http://a/", status: 200, ok: true, bytes: 1_234, ms: 12.5, attempts: 1 };
const FAILED: FetchRecord = {
  ...RECORD,
  index: 2,
  status: undefined,
  ok: false,
  error: { code: "dns", message: 'no "address", at all' },
};

function formatted(format: "jsonl" | "csv" | "tsv" | "table", fields?: string, hasColours = false): string {
  const chosen = fields === undefined ? undefined : checkFields(fields);
  const formatter = createFormatter(format, { fields: chosen, width: 80, hasColours });
  return formatter.head + [RECORD, FAILED].map((record) => formatter.line(record)).join("");
}

describe("records", () => {
  it("are CSV with the fields that were chosen", () => {
    assert.equal(
      formatted("csv", "url,status,error.message"),
      'url,status,error.message\r\nhttp://a/,200,\r\nhttp://a/,,"no ""address"", at all"\r\n',
    );
  });

  it("are tab-separated", () => {
    assert.equal(
      formatted("tsv", "index,ok,error"),
      'index\tok\terror\n1\ttrue\t\n2\tfalse\tdns: no "address", at all\n',
    );
  });

  it("are JSON with the fields that were chosen", () => {
    const lines = formatted("jsonl", "url,error,error.code").trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [{ url: "http://a/" }, { url: "http://a/", error: FAILED.error, "error.code": "dns" }],
    );
  });

  it("are a table whose columns are aligned and no wider than the terminal", () => {
    const lines = formatted("table").split("\n");
    assert.equal(lines[0], "STATUS        MS     BYTES  URL                        ERROR");
    assert.equal(lines[1], "200      12.5 ms   1.23 kB  http://a/");
    assert.equal(lines[2], '-        12.5 ms   1.23 kB  http://a/                  dns: no "address", at all');
    for (const line of lines) assert.ok(line.length <= 80);
  });

  it("are coloured only where colours are wanted", () => {
    assert.ok(!formatted("table").includes("\u001b"));
    assert.ok(formatted("table", undefined, true).includes("\u001b[31m-"));
  });

  it("cannot name a field that is none, or one twice", () => {
    assert.throws(() => checkFields("url,toString"), { exitCode: 2 });
    assert.throws(() => checkFields("url,url"), { exitCode: 2 });
  });
});

describe("a line of values", () => {
  it("gives a spreadsheet nothing to run", () => {
    const evil = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)"];
    assert.equal(csvLine(evil), "'=cmd|' /C calc'!A0,'+1,'-1,'@SUM(1)\r\n");
    assert.equal(tsvLine(evil), "'=cmd|' /C calc'!A0\t'+1\t'-1\t'@SUM(1)\n");
    assert.equal(csvLine([-1, 2.5]), "-1,2.5\r\n");
  });

  it("shows control characters, so that it stays one line", () => {
    assert.equal(csvLine(["a\nb\u001b[2J\t"]), "a\\u000ab\\u001b[2J\\u0009\r\n");
    assert.equal(tsvLine(["a\tb"]), "a\\u0009b\n");
  });
});
