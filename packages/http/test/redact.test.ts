import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { redactUrl } from "@meanwhile/http";

describe("redactUrl", () => {
  const cases: Readonly<Record<string, string>> = {
    "http://h/p?a=1": "http://h/p?a=1",
    "http://user:pass@h/p": "http://***@h/p",
    "http://user@h": "http://***@h",
    "http://u:p/w@h/p": "http://***@h/p",
    "http://h/@name/x": "http://h/@name/x",
    "http://u:p@h/@name": "http://***@h/@name",
    "http://h/?token=1&a=2&X-Sig=3": "http://h/?token=***&a=2&X-Sig=***",
    "http://h/?%70assword=1": "http://h/?%70assword=***",
    "http://h/?%zzkey=1": "http://h/?%zzkey=***",
    "http://h/?pass=1&pw=2&jwt=3&sid=4&session=5&PHPSESSID=6&userPass=7&db_pw=8":
      "http://h/?pass=***&pw=***&jwt=***&sid=***&session=***&PHPSESSID=***&userPass=***&db_pw=***",
    "http://h/?side=1&passenger=2&spwn=3": "http://h/?side=1&passenger=2&spwn=3",
    "http://h/?next=http://u:p@other/": "http://h/?next=***",
    "http://h/?next=https%3A%2F%2Fu%3Ap%40other%2F&a=1": "http://h/?next=***&a=1",
    "http://h/?http://u:p@other/": "http://h/?***",
    "http://h/?next=http://other/@name&mail=me@h.test": "http://h/?next=http://other/@name&mail=me@h.test",
    "http://h/?flag&a": "http://h/?flag&a",
    "http://h/#access_token=1": "http://h/",
    "http://h/\u001b[31m\u202e": "http://h/\\u001b[31m\\u202e",
    "user:pass@h/p": "***@h/p",
    "other://user@h/p": "other://***@h/p",
    "//user:pass@h/p": "***@h/p",
    "": "",
  };
  for (const [url, shown] of Object.entries(cases)) {
    it(`shows ${JSON.stringify(url)} as ${JSON.stringify(shown)}`, () => {
      assert.equal(redactUrl(url), shown);
    });
  }

  it("is quick and short for a long text", () => {
    const started = performance.now();
    assert.ok(redactUrl(`http://${"@/".repeat(20_000)}?${"key=1&".repeat(20_000)}`).length < 2_100);
    assert.ok(performance.now() - started < 200);
  });
});
