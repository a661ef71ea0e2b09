// What the viewer gives to the page, from a program and from a recording.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { spawnViewer, startViewer } from "../src/index.ts";
import { readPage } from "../src/viewer/page-files.ts";
import { ask, withToken } from "./support/asking.ts";
import { FakeProgram } from "./support/fake-program.ts";
import { hello, linesOf, snapshot, task } from "./support/messages.ts";
import { buildPage } from "./support/page.ts";
import { shopRun } from "./support/shop.ts";

let folder = "";
before(async () => {
  await buildPage();
  folder = await mkdtemp(join(tmpdir(), "inspector-"));
});
after(async () => {
  await rm(folder, { recursive: true });
});

async function fileWith(text: string): Promise<string> {
  const path = join(folder, "run.jsonl");
  await writeFile(path, text);
  return path;
}

describe("a viewer of a program", () => {
  it("hands on the answers as they are", async () => {
    const state = snapshot({ tasks: [task(7)] });
    await using program = await FakeProgram.start({ state });
    await using viewer = await startViewer({ socket: program.socket });
    const { status, text } = await ask(viewer, "/v1/snapshot?stacks=0", { headers: withToken(viewer) });
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), state);
    assert.match(program.asked[0] ?? "", /^GET \/v1\/snapshot\?stacks=0 /u);
  });

  it("hands on a stream line by line, while it goes on", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const aborts = new AbortController();
    const { body } = await fetch(`http://127.0.0.1:${viewer.port}/v1/stream`, {
      headers: withToken(viewer),
      signal: aborts.signal,
    });
    assert.ok(body !== null);
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, linesOf([hello(), snapshot()]));
    program.send({ type: "bye", atMs: 5 });
    assert.equal((await reader.read()).value, linesOf([{ type: "bye", atMs: 5 }]));
    aborts.abort();
    await assert.rejects(reader.read());
  });

  it("leaves the stream of the program when the page is closed", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const aborts = new AbortController();
    await fetch(`http://127.0.0.1:${viewer.port}/v1/stream`, { headers: withToken(viewer), signal: aborts.signal });
    const [stream] = program.streams;
    assert.ok(stream !== undefined);
    const closed = once(stream, "close");
    aborts.abort();
    await closed;
  });

  it("says that the program has ended when nobody listens any more", async () => {
    await using viewer = await startViewer({ socket: join(folder, "nobody.sock") });
    const { status, text } = await ask(viewer, "/v1/hello", { headers: withToken(viewer) });
    assert.equal(status, 502);
    assert.deepEqual(JSON.parse(text), { type: "refusal", error: "Cannot ask the program: it has ended" });
  });
});

describe("a viewer of a recording", () => {
  it("gives the whole file as the stream, and its first line as the hello", async () => {
    const text = linesOf(shopRun());
    await using viewer = await startViewer({ recording: await fileWith(text) });
    const headers = withToken(viewer);
    assert.equal((await ask(viewer, "/v1/stream?events=1", { headers })).text, text);
    assert.deepEqual(JSON.parse((await ask(viewer, "/v1/hello", { headers })).text), hello());
    assert.deepEqual(JSON.parse((await ask(viewer, "/viewer", { headers })).text), { kind: "recording", allow: [] });
    assert.equal((await ask(viewer, "/v1/snapshot", { headers })).status, 404);
  });

  it("refuses a file that is none", async () => {
    const code = "MW_ERR_INSPECTOR_NOT_A_RECORDING";
    await assert.rejects(startViewer({ recording: join(folder, "none") }), { code, message: /ENOENT/u });
    await assert.rejects(startViewer({ recording: folder }), { code, message: /EISDIR/u });
    await assert.rejects(startViewer({ recording: await fileWith("GIF89a") }), { code, message: /hello/u });
    await assert.rejects(startViewer({ recording: await fileWith("") }), { code });
    await assert.rejects(startViewer({ recording: await fileWith(linesOf([snapshot()])) }), { code });
    await assert.rejects(startViewer({ recording: await fileWith(linesOf([{ ...hello(), protocol: 99 }])) }), {
      code,
      message: /use a newer meanwhile/u,
    });
  });
});

describe("a viewer that cannot start", () => {
  it("says which port is taken, or is none", async () => {
    await using viewer = await startViewer({ socket: "/nowhere" });
    await assert.rejects(startViewer({ socket: "/nowhere" }, { port: viewer.port }), {
      code: "MW_ERR_INSPECTOR_NOT_STARTED",
    });
    for (const port of [-1, 65_536, 1.5, Number.NaN]) {
      await assert.rejects(startViewer({ socket: "/nowhere" }, { port }), {
        code: "MW_ERR_INSPECTOR_INVALID_ARGUMENT",
      });
    }
  });

  it("says how to build the page if it is not there", () => {
    assert.throws(() => readPage(folder), { code: "MW_ERR_INSPECTOR_NOT_BUILT", message: /npm run build/u });
  });
});

describe("a viewer in another process", () => {
  it("answers there, and ends when it is told to", async () => {
    await using program = await FakeProgram.start();
    const viewer = await spawnViewer({ socket: program.socket });
    assert.notEqual(viewer.pid, process.pid);
    const { hash, origin } = new URL(viewer.url);
    const headers = { authorization: `Bearer ${hash.slice(1)}` };
    assert.deepEqual(await (await fetch(`${origin}/v1/hello`, { headers })).json(), hello());
    viewer.end();
    await viewer.ended;
  });

  it("says why it could not begin", async () => {
    await assert.rejects(spawnViewer({ recording: join(folder, "none") }), {
      code: "MW_ERR_INSPECTOR_NOT_STARTED",
      message: /as a recording: ENOENT/u,
    });
  });
});
