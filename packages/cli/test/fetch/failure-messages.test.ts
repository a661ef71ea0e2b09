// What the errors of the session become in a record.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { HttpError } from "@meanwhile/http";

import { messageOf } from "../../src/fetch/failure-messages.ts";
import { cli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

function said(what: string, url = "http://a/"): string {
  return messageOf(new HttpError("MW_ERR_HTTP_PROTOCOL", { method: "GET", url }, what));
}

describe("the message of a failure", () => {
  it("does not repeat the URL, whatever is in it", () => {
    for (const url of ["http://a/", "http://a b/", "http://a/: b: c", "not a URL"])
      assert.equal(said("why", url), "why");
  });

  it("names the options of the command", () => {
    const names = {
      "it was not done after 5 ms; raise timeouts.totalMs or read it with stream()": /raise --timeout$/,
      "no more of the answer came for 5 ms; raise timeouts.idleMs if that is normal": /raise --idle-timeout if/,
      "there was no connection after 5 ms; raise timeouts.connectMs": /raise --connect-timeout$/,
      "1 bytes came in 5 ms, less than timeouts.minBytesPerSecond (9)": /less than --min-speed \(9\)$/,
      "the body has more than the 5 bytes of maxBodyBytes; raise it if": /of --max-size; raise/,
      "it redirects from https to http; pass allowDowngrade: true to follow": /^it redirects from https to http$/,
      "it redirects more than 10 times; raise maxRedirects if that is expected": /^it redirects more than 10 times$/,
    };
    for (const [text, wanted] of Object.entries(names)) assert.match(said(text), wanted);
  });

  it("is that of a whole run", async () => {
    await using server = await TestServer.start();
    const args = ["--max-size", "10", "--retries", "0", "-q"];
    const { records } = await cli(["fetch", "-", ...args], { input: `${server.origin}/big\nhttp://a b/\n` });
    for (const { error } of records) assert.doesNotMatch(error?.message ?? "", /maxBodyBytes|Cannot/);
    assert.match(records.map(({ error }) => error?.message).join(), /--max-size/);
  });
});
