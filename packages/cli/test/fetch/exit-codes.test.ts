// How `meanwhile` ends, as a table: exit code, records and what is said.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import type { FailureCode } from "../../src/fetch/record.ts";
import { BIN, cli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

interface Case {
  readonly name: string;
  /** `@` stands for the origin of the server, `$` for a directory with some files, `~` for a port nobody listens at. */
  readonly args: string;
  readonly input?: string;
  readonly exit: number;
  /** The codes of the records in the order of the list; "ok" for one without an error. */
  readonly records?: ReadonlyArray<FailureCode | "ok">;
  readonly says?: RegExp;
}

const QUICK = "--retries 0";

const CASES: readonly Case[] = [
  { name: "no command", args: "", exit: 2, says: /Usage: meanwhile/ },
  { name: "--help", args: "--help", exit: 0 },
  { name: "--version", args: "--version", exit: 0 },
  { name: "an unknown command", args: "fetsch", exit: 2, says: /^meanwhile: unknown command "fetsch".*\n$/ },
  { name: "an unknown command from the prototype", args: "toString", exit: 2, says: /^meanwhile: unknown command/ },
  { name: "fetch --help", args: "fetch --help", exit: 0 },
  { name: "fetch --version", args: "fetch --version", exit: 0 },
  { name: "fetch with nothing to fetch", args: "fetch", exit: 2, says: /^meanwhile: no URL given.*\n$/ },
  { name: "an unknown option", args: "fetch --frobnicate @/ok", exit: 2, says: /^meanwhile: .*--frobnicate.*\n$/ },
  { name: "a bad value", args: "fetch -c none @/ok", exit: 2, says: /^meanwhile: -c "none" is not possible.*\n$/ },
  { name: "a value like an option", args: "fetch -c -1 @/ok", exit: 2, says: /^meanwhile: [^.]* ambiguous; see .*\n$/ },
  { name: "a bad header", args: "fetch -H nonsense @/ok", exit: 2, says: /^meanwhile: -H needs.*\n$/ },
  {
    name: "tour with arguments",
    args: "tour fast",
    exit: 2,
    says: /^meanwhile: tour takes --inspect and nothing else.*\n$/,
  },
  { name: "tour --help", args: "tour --help", exit: 0 },
  {
    name: "a list that is not there",
    args: "fetch -i $/none",
    exit: 3,
    says: /^meanwhile: cannot read ".*none": no such file.*\n$/,
  },
  {
    name: "a list that is a directory",
    args: "fetch -i $",
    exit: 3,
    says: /^meanwhile: cannot read ".*": it is a directory\n$/,
  },
  { name: "a list that is not there, beside one that is", args: "fetch -i $/list -i $/none", exit: 3, records: [] },
  {
    name: "an output directory that is a file",
    args: "fetch @/ok -o $/file",
    exit: 3,
    says: /^meanwhile: cannot save to .*\n$/,
  },
  { name: "an output directory below a file", args: "fetch @/ok -o $/file/x", exit: 3, records: [] },
  { name: "one URL", args: "fetch @/ok", exit: 0, records: ["ok"] },
  { name: "two URLs", args: "fetch @/ok/1 @/ok/2", exit: 0, records: ["ok", "ok"] },
  {
    name: "a list from stdin",
    args: "fetch -",
    input: "@/ok/1\n\n# comment\n  @/ok/2  \r\n@/ok/3",
    exit: 0,
    records: ["ok", "ok", "ok"],
  },
  { name: "an empty list", args: "fetch -i -", input: "", exit: 0, records: [] },
  { name: "a list of comments", args: "fetch -i -", input: "# one\n\n#two", exit: 0, records: [] },
  {
    name: "a list in a file, and arguments",
    args: "fetch @/ok/a -i $/list",
    exit: 1,
    records: ["ok", "bad_url", "bad_url"],
  },
  {
    name: "a URL that is none, among good ones",
    args: "fetch @/ok/1 nonsense @/ok/2",
    exit: 1,
    records: ["ok", "bad_url", "ok"],
  },
  {
    name: "a scheme that is not fetched",
    args: "fetch file:///etc/passwd ftp://a/ javascript:1 data:,x",
    exit: 1,
    records: ["bad_url", "bad_url", "bad_url", "bad_url"],
  },
  { name: "404", args: "fetch @/status/404", exit: 1, records: ["http_4xx"] },
  { name: "410 among good ones", args: "fetch @/ok/1 @/status/410 @/ok/2", exit: 1, records: ["ok", "http_4xx", "ok"] },
  { name: "500", args: `fetch @/status/500 ${QUICK}`, exit: 1, records: ["http_5xx"] },
  { name: "429 to the end", args: `fetch @/status/429 ${QUICK}`, exit: 1, records: ["rate_limited"] },
  {
    name: "a host that wants to be left alone for an hour",
    args: "fetch @/closed/1 @/closed/2 --per-host 1",
    exit: 1,
    records: ["rate_limited", "rate_limited"],
  },
  { name: "503 once", args: "fetch @/once", exit: 0, records: ["ok"] },
  { name: "a reset", args: `fetch @/reset ${QUICK}`, exit: 1, records: ["reset"] },
  { name: "nobody listens", args: `fetch ~/ ${QUICK}`, exit: 1, records: ["connect"] },
  { name: "a name that is none", args: `fetch http://name.invalid/ ${QUICK}`, exit: 1, records: ["dns"] },
  { name: "no answer in time", args: `fetch @/stall --timeout 200ms ${QUICK}`, exit: 1, records: ["timeout"] },
  { name: "no byte in time", args: `fetch @/stall-body --idle-timeout 200ms ${QUICK}`, exit: 1, records: ["stall"] },
  { name: "a body that ends early", args: `fetch @/short ${QUICK}`, exit: 1, records: ["incomplete"] },
  { name: "a body that is too large", args: "fetch @/big --max-size 100kB", exit: 1, records: ["too_large"] },
  { name: "a redirect", args: "fetch @/redirect", exit: 0, records: ["ok"] },
  { name: "a redirect to itself", args: "fetch @/loop", exit: 1, records: ["redirect_loop"] },
  { name: "TLS with a server that has none", args: `fetch !/ok ${QUICK}`, exit: 1, records: ["tls"] },
  { name: "what is not HTTP", args: `fetch @/garbage ${QUICK}`, exit: 1, records: ["protocol"] },
  { name: "a status that is to be ok", args: "fetch @/status/404 --ok 200-299,404", exit: 0, records: ["ok"] },
  { name: "a status that is not to be ok", args: "fetch @/ok --ok 204", exit: 1, records: ["policy_blocked"] },
  {
    name: "a range of statuses that is none",
    args: "fetch @/ok --ok 2xx",
    exit: 2,
    says: /--ok "2xx" is not possible/,
  },
  {
    name: "--fail-fast",
    args: "fetch @/status/404 @/ok/1 @/ok/2 --fail-fast -c 1",
    exit: 5,
    says: /stopped by --max-errors/,
  },
  {
    name: "--max-errors that are reached",
    args: "fetch @/status/404 @/status/410 @/ok/1 --max-errors 2 -c 1",
    exit: 5,
    says: /2 failed/,
  },
  { name: "--max-errors that are not reached", args: "fetch @/status/404 @/ok --max-errors 2", exit: 1 },
  { name: "--max-errors for lines that are no URL", args: "fetch a b --max-errors 2", exit: 5 },
  {
    name: "--deadline",
    args: "fetch @/stall/1 @/stall/2 --deadline 500ms",
    exit: 124,
    records: ["cancelled", "cancelled"],
    says: /stopped by --deadline/,
  },
  { name: "--deadline that is not reached", args: "fetch @/ok/1 @/ok/2 --deadline 1m", exit: 0, records: ["ok", "ok"] },
  { name: "--max-total", args: "fetch @/big/1 @/ok/2 --max-total 100kB -c 1", exit: 4, says: /--max-total/ },
  { name: "--max-total that is not reached", args: "fetch @/big/1 @/ok/2 --max-total 1MB", exit: 0 },
  { name: "a disk without room", args: "fetch @/ok -o $/out --min-free 1000000G", exit: 4, says: /--min-free/ },
  {
    name: "a host that never answers",
    args: `fetch ~/1 ~/2 ~/3 ~/4 --max-host-errors 2 --per-host 1 ${QUICK}`,
    exit: 1,
    records: ["connect", "connect", "policy_blocked", "policy_blocked"],
  },
  {
    name: "a host that never answers, if that is no matter",
    args: `fetch ~/1 ~/2 ~/3 --max-host-errors 0 --per-host 1 ${QUICK}`,
    exit: 1,
    records: ["connect", "connect", "connect"],
  },
  {
    name: "a POST that fails, which is not repeated",
    args: "fetch @/once/post -X POST",
    exit: 1,
    records: ["http_5xx"],
  },
  { name: "a wrong checksum", args: `fetch @/ok --checksum sha256:${"0".repeat(64)}`, exit: 1, records: ["checksum"] },
  {
    name: "a token file that is not there",
    args: "fetch @/ok --token-file $/none",
    exit: 3,
    says: /cannot read ".*none"/,
  },
  { name: "a secret that is not set", args: "fetch @/ok --secret MEANWHILE_NOT_SET", exit: 2, says: /is not set/ },
  { name: "--dry-run", args: "fetch @/ok --dry-run", exit: 0 },
  {
    name: "--dry-run with a line that is no URL",
    args: "fetch @/ok nonsense --dry-run",
    exit: 1,
    says: /not a request/,
  },
  { name: "--curl", args: "fetch @/ok --curl", exit: 0 },
  { name: "completion for no shell", args: "completion", exit: 2, says: /needs one shell/ },
  { name: "completion for bash", args: "completion bash", exit: 0 },
  { name: "--quiet", args: "fetch @/ok --quiet", exit: 0, records: ["ok"], says: /^$/ },
];

let server: TestServer;
let directory: string;
let deadPort: number;

before(async () => {
  server = await TestServer.start();
  directory = mkdtempSync(join(tmpdir(), "meanwhile-cli-"));
  writeFileSync(join(directory, "file"), "");
  writeFileSync(join(directory, "list"), "not a url\nhttp://\n");
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  deadPort = (listener.address() as { port: number }).port;
  await new Promise((resolve) => listener.close(resolve));
});

after(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

function filled(text: string): string {
  return text
    .replaceAll("@", server.origin)
    .replaceAll("!", server.origin.replace("http:", "https:"))
    .replaceAll("$", directory)
    .replaceAll("~", `http://127.0.0.1:${deadPort}`);
}

describe("meanwhile ends with", { concurrency: 2 }, () => {
  for (const { name, args, input, exit, records, says } of CASES) {
    it(`${exit} for ${name}`, async () => {
      const wanted = records === undefined ? args : `${args} --format jsonl`; // not the body of a single URL
      const ended = await cli(filled(wanted).split(" ").filter(Boolean), {
        input: input === undefined ? undefined : filled(input),
      });
      assert.equal(ended.exit, exit, ended.stderr);
      const sorted = ended.records.toSorted((one, other) => one.index - other.index);
      if (records !== undefined)
        assert.deepEqual(
          sorted.map(({ error }) => error?.code ?? "ok"),
          records,
        );
      if (says !== undefined) assert.match(ended.stderr, says);
      assert.doesNotMatch(ended.stderr, /\n {4}at /, "no stack is shown");
    });
  }

  it("1 for an argument that is empty, as of a variable that is not set", async () => {
    const { exit, records } = await cli(["fetch", "", "--format", "jsonl"]);
    assert.deepEqual([exit, records.map(({ error }) => error?.code)], [1, ["bad_url"]]);
  });

  it("3 for a help that cannot be written", { skip: !existsSync("/dev/full") }, () => {
    const full = openSync("/dev/full", "w");
    const args = ["--conditions=@meanwhile/source", BIN, "fetch", "--help"];
    const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", full, "ignore"] });
    closeSync(full);
    assert.equal(status, 3);
  });

  it("3 for an output directory where the system lets none be made", { skip: !existsSync("/proc/self") }, async () => {
    const { exit, stderr } = await cli(["fetch", `${server.origin}/ok`, "-o", "/proc/none/deep"]);
    assert.equal(exit, 3);
    assert.match(stderr, /^meanwhile: cannot save to .*\n$/);
  });
});
