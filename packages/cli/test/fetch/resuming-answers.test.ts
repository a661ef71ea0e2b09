// What --resume makes of answers that are no file.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { HttpError } from "@meanwhile/http";

import { attempt, type AttemptOptions } from "../../src/fetch/attempt.ts";
import { StopError } from "../../src/fetch/brakes.ts";
import { Secrets } from "../../src/fetch/secrets.ts";
import { Target } from "../../src/fetch/target.ts";
import { cli, listOf } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

async function withServer(body: (server: TestServer, directory: string) => Promise<void>): Promise<void> {
  await using server = await TestServer.start();
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-answers-"));
  try {
    await body(server, directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("meanwhile fetch -o DIR --resume", () => {
  it("says of a status what is said without it, and gives no host up for it", () =>
    withServer(async ({ origin }, directory) => {
      const input = listOf(40, (index) => `${origin}/status/${index % 2 === 0 ? 404 : 500}/${index}`);
      const { records } = await cli(["fetch", "-", "-o", directory, "--resume", "--retries", "0"], { input });
      const count = (code: string): number => records.filter(({ error }) => error?.code === code).length;
      assert.deepEqual([count("http_4xx"), count("http_5xx")], [20, 20]);
      assert.deepEqual(await readdir(directory), []);
    }));

  it("tries a status again that may pass", () =>
    withServer(async ({ origin }, directory) => {
      const { exit, records } = await cli(["fetch", `${origin}/once/a`, "-o", directory, "--resume"]);
      assert.deepEqual([exit, records[0]?.file, records[0]?.attempts], [0, "a", 2]);
    }));

  it("saves other answers that are ok, and nothing of those that have no body", () =>
    withServer(async ({ origin }, directory) => {
      const urls = [
        `${origin}/status/203/a`,
        `${origin}/status/204/b`,
        `${origin}/status/304/c`,
        `${origin}/status/404/d`,
      ];
      const args = ["-o", directory, "--resume", "--ok", "200-299,304,404", "--retries", "0"];
      const { exit, stderr } = await cli(["fetch", ...urls, ...args]);
      assert.equal(exit, 0, stderr);
      assert.deepEqual(await readdir(directory), ["a"]);
      assert.equal(await readFile(join(directory, "a"), "utf8"), "as you wish");
    }));

  it("obeys --ok where 200 is none of it, and goes on with a part where 206 is none", () =>
    withServer(async ({ origin }, directory) => {
      const args = ["-o", directory, "--resume", "--retries", "0", "--ok"];
      const refused = await cli(["fetch", `${origin}/ok/a`, ...args, "201"]);
      assert.equal(refused.records[0]?.error?.code, "policy_blocked");
      assert.deepEqual(await readdir(directory), []);
      await cli(["fetch", `${origin}/broken/b`, ...args, "200"]);
      const { exit } = await cli(["fetch", `${origin}/broken/b`, ...args, "200"]);
      assert.equal(exit, 0);
      assert.deepEqual(await readdir(directory), ["b"]);
    }));

  it("sends what the command line says where that is no plain GET", () =>
    withServer(async ({ origin }, directory) => {
      const args = ["fetch", `${origin}/echo/a`, "-o", directory, "--resume"];
      await cli([...args, "--data", "x=1"]);
      const { method, body } = JSON.parse(await readFile(join(directory, "a"), "utf8"));
      assert.deepEqual([method, body], ["POST", "x=1"]);
      const { exit, records } = await cli([...args, "-X", "HEAD"]);
      assert.deepEqual([exit, records[0]?.file], [0, undefined]);
    }));

  it("sends one Accept-Encoding: that of the user, if there is one", () =>
    withServer(async ({ origin }, directory) => {
      await cli(["fetch", `${origin}/headers/a`, "-o", directory, "--resume"]);
      await cli(["fetch", `${origin}/headers/b`, "-o", directory, "--resume", "-H", "accept-encoding: br"]);
      const codings = ["a", "b"].map(async (name) => JSON.parse(await readFile(join(directory, name), "utf8")));
      assert.deepEqual(
        (await Promise.all(codings)).map((headers) => headers["accept-encoding"]),
        ["identity", "br"],
      );
    }));

  it("stops the run when the disk is full, as without it", async () => {
    const full = Object.assign(new Error("full"), { code: "ENOSPC" });
    const request = { method: "GET", url: "http://host/a" };
    await assert.rejects(
      attempt(new Target(1, "http://host/a", "http://host"), failingWith("MW_ERR_HTTP_FILE", full, request)),
      (error) => error instanceof StopError && error.exitCode === 4,
    );
  });

  it("says so when something was wanting here, and not at the host", async () => {
    const wanting = Object.assign(new Error("too many"), { code: "EMFILE" });
    const request = { method: "GET", url: "http://host/a" };
    const options = failingWith("MW_ERR_HTTP_CONNECT", wanting, request);
    const outcome = await attempt(new Target(1, "http://host/a", "http://host"), options);
    assert.deepEqual([outcome.failure?.code, outcome.isLocal], ["connect", true]);
  });
});

function failingWith(code: HttpError["code"], cause: Error, request: { method: string; url: string }): AttemptOptions {
  const resume = (): Promise<never> => Promise.reject(new HttpError(code, request, "it failed", { cause }));
  const plan = { method: "GET", secrets: new Secrets([], {}) };
  const saver = { path: "/somewhere", isResuming: () => true, resume };
  return { limits: { timeoutMs: 1_000 }, plan, saver } as unknown as AttemptOptions;
}
