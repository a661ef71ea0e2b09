// What templates, patterns and places of secrets become.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { expandGlob } from "../../src/fetch/glob.ts";
import { fillTemplate } from "../../src/fetch/name-template.ts";
import { Secrets } from "../../src/fetch/secrets.ts";
import { parseStatuses } from "../../src/fetch/statuses.ts";

const fill = (template: string, url: string, id?: string): string =>
  fillTemplate(template, { url: new URL(url), index: 7, id }).join("/");

describe("--name", () => {
  it("fills in what it is made of", () => {
    const url = "http://example.org:8080/a/b%20c/d.tar.gz?q=1";
    assert.equal(fill("{host}/{path}", url), "example.org_8080/a/b c/d.tar.gz");
    assert.equal(fill("{index}-{name}", url), "7-d.tar.gz");
    assert.equal(fill("{id}.{ext}", url, "x/y"), "x_y.gz");
    assert.equal(fill("{id}", url), "7");
    assert.match(fill("{hash}", url), /^[0-9a-f]{16}$/);
    assert.notEqual(fill("{hash}", url), fill("{hash}", `${url}2`));
    assert.match(fill("{date}/x", url), /^\d{4}-\d\d-\d\d\/x$/);
  });

  it("gives a directory of a URL a name", () => {
    assert.equal(fill("{host}/{path}", "http://a/"), "a/index");
    assert.equal(fill("{path}", "http://a/b/"), "b/index");
    assert.equal(fill("{name}.{ext}", "http://a/"), "index.bin");
  });

  it("stays inside, whatever the template, the URL and the list say", () => {
    for (const template of [
      "../{name}",
      "/etc/{name}",
      "{host}/../../{path}",
      "..",
      "/",
      "a/./b",
      "{id}",
      "~/{id}",
      "{path}",
    ]) {
      for (const url of ["http://a/..%2f..%2fx", "http://a/%2e%2e/%2e%2e%5cy", "http://a/%00/%0a", "http://a//b//c"]) {
        const segments = fillTemplate(template, { url: new URL(url), index: 1, id: "../../../etc/passwd" });
        assert.ok(segments.length > 0);
        for (const segment of segments) assert.doesNotMatch(segment, /[/\\\p{Cc}]|^\.|^$/u, `${template} of ${url}`);
      }
    }
  });

  it("does not go deeper than 32 directories", () => {
    assert.equal(fillTemplate("{path}", { url: new URL(`http://a/${"x/".repeat(500)}end`), index: 1 }).length, 32);
  });
});

describe("--glob", () => {
  for (const [pattern, urls] of Object.entries({
    "http://a/": ["http://a/"],
    "http://a/[1-3]": ["http://a/1", "http://a/2", "http://a/3"],
    "http://a/[08-10]": ["http://a/08", "http://a/09", "http://a/10"],
    "http://a/[a-c]": ["http://a/a", "http://a/b", "http://a/c"],
    "http://a/{x,y}/[1-2]": ["http://a/x/1", "http://a/x/2", "http://a/y/1", "http://a/y/2"],
    "http://a/{x,}": ["http://a/x", "http://a/"],
    "http://[::1]:8080/[1-2]": ["http://[::1]:8080/1", "http://[::1]:8080/2"],
    "http://a/\\[1-3\\]\\{\\}": ["http://a/[1-3]{}"],
    "http://a/?k={{KEY}}&p=[1-2]": ["http://a/?k={{KEY}}&p=1", "http://a/?k={{KEY}}&p=2"],
  })) {
    it(`makes ${urls.length} of ${pattern}`, () => assert.deepEqual(expandGlob(pattern), urls));
  }
});

describe("--secret", () => {
  const secrets = new Secrets(["KEY", "LONGER"], { KEY: "a b&c", LONGER: "a b&c-and-more", OTHER: "x" });

  it("is put where its name stands, and nothing else is", () => {
    assert.equal(secrets.fill("k: {{KEY}} {{OTHER}} {{NONE}} {KEY}"), "k: a b&c {{OTHER}} {{NONE}} {KEY}");
  });

  it("cannot change where a URL leads", () => {
    const evil = new Secrets(["E"], { E: "@evil.example/?#\\" });
    for (const url of ["http://good.example/{{E}}", "http://u:{{E}}@good.example/", "http://good.example/?q={{E}}"]) {
      assert.equal(new URL(evil.fillUrl(url)).host, "good.example");
    }
    assert.equal(secrets.fillUrl("http://a/%7B%7BKEY%7D%7D"), "http://a/a%20b%26c");
  });

  it("is taken out again, encoded or not, the longer one first", () => {
    assert.equal(secrets.hide("http://a/?k=a%20b%26c and a b&c-and-more"), "http://a/?k={{KEY}} and {{LONGER}}");
  });
});

describe("--ok", () => {
  it("takes statuses and ranges of them", () => {
    const statuses = parseStatuses("200-299, 404");
    assert.deepEqual(
      [199, 200, 299, 300, 404].map((status) => statuses?.has(status)),
      [false, true, true, false, true],
    );
    for (const text of ["", "2xx", "200-", "99", "1000", "300-200", "200,,404"])
      assert.equal(parseStatuses(text), undefined);
  });
});
