// `meanwhile inspect`: where the page is, what it is told, and how the command ends. What the page shows: @meanwhile/inspector.

import assert from "node:assert/strict";
import { once } from "node:events";
import { linkSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { before, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Hello, Snapshot } from "meanwhile/diagnostics";

import { buildPage } from "../../../inspector/test/support/page.ts";
import { hello, snapshot } from "../../../meanwhile/test/diagnostics/reading/told.ts";
import type { Started } from "../support/cli.ts";
import { SocketFolder } from "./fake-program.ts";

const PROGRAMS = fileURLToPath(new URL("./programs.ts", import.meta.url));

before(() => buildPage());

/** What is said up to the end of a line that is like this. */
async function lineIn(stream: Readable | null, pattern: RegExp): Promise<string> {
  assert.ok(stream !== null);
  let said = "";
  return new Promise((resolve, reject) => {
    stream.on("data", (text: Buffer | string) => {
      said += String(text);
      const line = said.split("\n").find((candidate, at, all) => at < all.length - 1 && pattern.test(candidate));
      if (line !== undefined) resolve(line);
    });
    stream.once("end", () => reject(new Error(`There is no ${String(pattern)} in ${said}`)));
  });
}

/** The address that a command prints. */
async function addressIn(stream: Readable | null): Promise<URL> {
  const [address = ""] = /http:\/\/127\.0\.0\.1:\d+\/#[\w-]{22}/.exec(await lineIn(stream, /http:/)) ?? [];
  return new URL(address);
}

/** Resolves when nobody listens there any more. */
async function gone(address: URL): Promise<void> {
  while (
    await fetch(address.origin).then(
      () => true,
      () => false,
    )
  )
    await turn();
}

async function askPage({ origin, hash }: URL, path: string, method = "GET"): Promise<unknown> {
  const answer = await fetch(`${origin}${path}`, { method, headers: { authorization: `Bearer ${hash.slice(1)}` } });
  return answer.json();
}

/** The number of a task, once it is in a circle. */
async function stuckIn(address: URL, name: string): Promise<number> {
  for (;;) {
    const { tasks, cycles } = (await askPage(address, "/v1/snapshot")) as Snapshot;
    const id = tasks.find((task) => task.name === name)?.id ?? 0;
    if (cycles.some((cycle) => cycle.includes(id))) return id;
    await turn();
  }
}

async function pidOf(address: URL): Promise<number> {
  return ((await askPage(address, "/v1/hello")) as Hello).program.pid;
}

/** Ends it as Ctrl-C does. */
async function interrupt({ child, ended: ending }: Started): Promise<number | string | null> {
  child.kill("SIGINT");
  return (await ending).exit;
}

describe("meanwhile inspect", () => {
  it("prints the address of a page that asks the program, and ends with Ctrl-C", async () => {
    await using folder = new SocketFolder();
    await folder.start({ hello: hello(), snapshot: snapshot() });
    const started = folder.startCli(["inspect", String(process.pid)]);
    const address = await addressIn(started.child.stdout);
    assert.equal((await fetch(address.origin)).headers.get("content-type"), "text/html; charset=utf-8");
    assert.deepEqual(await askPage(address, "/v1/hello"), hello());
    assert.deepEqual(await askPage(address, "/viewer"), { kind: "live", allow: [] });
    assert.equal(await interrupt(started), 130);
    assert.equal((await started.ended).stderr, "meanwhile inspect: open this address in a browser; Ctrl-C ends it\n");
    await gone(address);
  });

  it("shows a recording, at the port that it is told", async () => {
    await using folder = new SocketFolder();
    const recording = join(folder.root, "run.jsonl");
    writeFileSync(recording, `${JSON.stringify(hello())}\n${JSON.stringify(snapshot())}\n`);
    const started = folder.startCli(["inspect", recording, "--json", "--allow", "cancel"]);
    const text = await lineIn(started.child.stdout, /url/);
    const told = JSON.parse(text) as { readonly url: string; readonly pid: number };
    assert.deepEqual(await askPage(new URL(told.url), "/viewer"), { kind: "recording", allow: ["cancel"] });
    const taken = await folder.cli(["inspect", recording, "--port", new URL(told.url).port]);
    assert.equal(taken.exit, 3);
    assert.match(taken.stderr, /^meanwhile: Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
    assert.equal(await interrupt(started), 130);
  });

  it("says so if its viewer is ended by somebody else", async () => {
    await using folder = new SocketFolder();
    await folder.start({});
    const started = folder.startCli(["inspect", String(process.pid), "--json"]);
    const { pid } = JSON.parse(await lineIn(started.child.stdout, /url/)) as { readonly pid: number };
    process.kill(pid, "SIGKILL");
    const { exit, stderr } = await started.ended;
    assert.deepEqual([exit, stderr], [1, "meanwhile: the viewer has ended by itself; start it again\n"]);
  });

  it("has nothing to show of a program that was killed and has left its socket behind", async () => {
    await using folder = new SocketFolder();
    const left = createServer();
    await once(left.listen(join(folder.root, "live.sock")), "listening");
    // A socket that nobody listens at is what kill -9 leaves.
    linkSync(join(folder.root, "live.sock"), join(folder.path, "999999999.sock"));
    await new Promise((resolve) => void left.close(resolve));
    const { exit, stdout, stderr } = await folder.cli(["inspect", "999999999"]);
    assert.deepEqual([exit, stdout], [3, ""]);
    assert.match(stderr, /^meanwhile: cannot ask 999999999: there is no such process/);
  });

  it("refuses what is no program, no recording and no option", async () => {
    await using folder = new SocketFolder();
    const other = join(folder.root, "other.txt");
    writeFileSync(other, "hello\n");
    for (const [args, exit, text] of [
      [["inspect"], 2, /inspect needs the PID of a program, or a recording/],
      [["inspect", "4194000"], 3, /cannot ask 4194000: there is no such process/],
      [["inspect", other], 3, /Cannot show .*other\.txt as a recording: it does not begin with the hello of a program/],
      [["inspect", join(folder.root, "none")], 3, /as a recording: ENOENT/],
      [["inspect", other, "--port", "70000"], 2, /--port "70000" is not possible; pass a number from 0 to 65535/],
      [["inspect", other, "--allow", "eval"], 2, /--allow "eval" is not possible; pass cancel/],
      [["inspect", other, "--host", "0.0.0.0"], 2, /Unknown option '--host'/],
    ] as const) {
      const ending = await folder.cli(args);
      assert.equal(ending.exit, exit, ending.stderr);
      assert.match(ending.stderr, text);
    }
  });
});

describe("meanwhile run --inspect", () => {
  it("prints the address on stderr, shows the program while it is blocked, and ends with it", async () => {
    await using folder = new SocketFolder();
    const started = folder.startCli(["run", "--no-cache", "--inspect", PROGRAMS, "blocked"]);
    const ready = lineIn(started.child.stdout, /ready/);
    const address = await addressIn(started.child.stderr);
    await ready;
    const told = (await askPage(address, "/v1/hello")) as ReturnType<typeof hello>;
    assert.equal(told.program?.script, PROGRAMS, JSON.stringify(told));
    // It hears of nothing else while it is blocked.
    process.kill(told.program.pid, "SIGKILL");
    assert.equal((await started.ended).exit, "SIGKILL");
    await gone(address);
    assert.deepEqual(readdirSync(folder.path), []);
  });

  it("lets the page cancel a task if it is allowed, so that a deadlock can be ended", async () => {
    await using folder = new SocketFolder();
    const started = folder.startCli(["run", "--no-cache", "--inspect", "--allow", "cancel", PROGRAMS, "deadlock"]);
    const address = await addressIn(started.child.stderr);
    const plato = await stuckIn(address, "Plato");
    const answer = (await askPage(address, `/v1/cancel?task=${plato}`, "POST")) as { type: string; error?: string };
    // A busy machine may take longer than it is waited for, and a program that ends by it may be faster than its answer.
    if (answer.type === "refusal") assert.match(answer.error ?? "", /it is cancelled when that turns|it has ended/);
    else assert.deepEqual(answer, { type: "cancelled", task: plato });
    await started.ended;
    await gone(address);
  });

  it("lets nobody cancel a task otherwise", async () => {
    await using folder = new SocketFolder();
    const started = folder.startCli(["run", "--no-cache", "--inspect", PROGRAMS, "deadlock"]);
    const address = await addressIn(started.child.stderr);
    const plato = await stuckIn(address, "Plato");
    const socket = folder.startCli(["inspect", String(await pidOf(address)), "--allow", "cancel"]);
    const other = await addressIn(socket.child.stdout);
    for (const [page, who] of [
      [address, "this viewer"],
      [other, "the program"],
    ] as const) {
      const { error } = (await askPage(page, `/v1/cancel?task=${plato}`, "POST")) as { readonly error: string };
      assert.match(error, new RegExp(`^Cannot cancel a task: ${who} `));
    }
    await interrupt(socket);
    await interrupt(started);
  });

  it("needs diagnostics", async () => {
    await using folder = new SocketFolder();
    const { exit, stderr } = await folder.cli(["run", "--inspect", "--no-diagnostics", PROGRAMS, "short"]);
    assert.deepEqual([exit, stderr], [2, "meanwhile: --inspect needs diagnostics: leave out --no-diagnostics\n"]);
  });
});
