import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { currentTask, Event, gather, Lock, run, sleep, sleepForever, taskGroup } from "meanwhile";
import {
  type EventsMessage,
  type GapMessage,
  type Hello,
  listPrograms,
  type Snapshot,
  socketFolder,
  startDiagnostics,
  type StreamMessage,
  type TaskEvent,
} from "meanwhile/diagnostics";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { ask, openStream, snapshotFrom } from "./asking.ts";

const OPTIONS = { report: false, blockedAfterMs: Infinity, warnings: false } as const;

const MOST_TEXT = 10 * 2 ** 20;

const isSnapshot = (line: StreamMessage): line is Snapshot => line.type === "snapshot";
const isEnd = (line: StreamMessage): line is Extract<StreamMessage, { type: "bye" }> => line.type === "bye";
const eventsIn = (lines: readonly StreamMessage[]): TaskEvent[] =>
  lines.filter((line): line is EventsMessage => line.type === "events").flatMap(({ events }) => events);

describe("The socket of a program", () => {
  let folder = "";
  const runtimeDir = process.env["XDG_RUNTIME_DIR"];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "meanwhile-test-"));
    process.env["XDG_RUNTIME_DIR"] = folder;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    if (runtimeDir === undefined) delete process.env["XDG_RUNTIME_DIR"];
    else process.env["XDG_RUNTIME_DIR"] = runtimeDir;
  });

  it("is the user's alone, is listed, and is gone with the diagnostics", async () => {
    const diagnostics = startDiagnostics(OPTIONS);
    const socket = await diagnostics.ready;
    assert.equal(socket, join(folder, "meanwhile", `${process.pid}.sock`));
    assert.equal(statSync(dirname(socket)).mode & 0o777, 0o700);
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    assert.deepEqual(listPrograms(), [{ pid: process.pid, thread: 0, socket }]);
    await diagnostics[Symbol.asyncDispose]();
    assert.equal(existsSync(socket), false);
  });

  it("is not made in a folder that others can look into", () => {
    mkdirSync(socketFolder(), { mode: 0o755 });
    chmodSync(socketFolder(), 0o755);
    assert.throws(() => startDiagnostics(OPTIONS), { code: "MW_ERR_SOCKET_FOLDER" });
    assert.deepEqual(listPrograms(), []);
  });

  it("is not made, which is a warning, where there can be none; nothing is made around it", async () => {
    const missing = join(folder, "missing");
    const long = join(folder, "x".repeat(80), "x".repeat(80));
    mkdirSync(long, { recursive: true });
    for (const [runtime, why] of [
      [missing, /missing is not there, or takes no folders; set XDG_RUNTIME_DIR to a folder that is there/],
      ["/proc", /Cannot make .*; set XDG_RUNTIME_DIR/],
      [long, /the path of the socket would have \d+ bytes, and \d+ are possible; set XDG_RUNTIME_DIR/],
    ] as const) {
      process.env["XDG_RUNTIME_DIR"] = runtime;
      await using expected = expectWarning("MW_WARN_DIAGNOSTICS");
      await using diagnostics = startDiagnostics(OPTIONS);
      assert.equal(await diagnostics.ready, null);
      assert.match(expected.seen[0]?.message ?? "", why);
    }
    assert.equal(existsSync(missing), false);
  });

  it("is in the temporary folder if XDG_RUNTIME_DIR is relative", () => {
    process.env["XDG_RUNTIME_DIR"] = "relative";
    assert.equal(dirname(socketFolder()), tmpdir());
  });

  it("tells who is asked", async () => {
    await using diagnostics = startDiagnostics(OPTIONS);
    const { status, body } = await ask(await diagnostics.ready, "/v1/hello");
    assert.equal(status, 200);
    const { type, protocol, level, program } = body as Hello;
    assert.deepEqual([type, protocol, level, program.pid], ["hello", 1, 1, process.pid]);
  });

  it("says what it cannot do, and what can be asked", async () => {
    await using diagnostics = startDiagnostics(OPTIONS);
    const socket = await diagnostics.ready;
    for (const [path, status, error] of [
      ["//", 400, /Cannot read the address/],
      ["/", 404, /there are \/v1\/hello/],
      ["/v1/snapshot?stacks=yes", 400, /pass 0 or 1/],
      ["/v1/stream?from=-1", 400, /pass a number/],
      ["/v1/stream?events=1", 400, /start diagnostics with level 2/],
      ["/v1/trace", 400, /start diagnostics with level 2/],
    ] as const) {
      const refused = await ask(socket, path);
      assert.equal(refused.status, status, path);
      assert.match((refused.body as { error: string }).error, error);
    }
    assert.equal((await ask(socket, "/v1/snapshot", "POST")).status, 405);
  });

  it("cancels a task for whoever asks, if the program allows that, and says what it cannot", async () => {
    await using diagnostics = startDiagnostics({ ...OPTIONS, allow: ["cancel"] });
    const socket = await diagnostics.ready;
    assert.deepEqual(((await ask(socket, "/v1/hello")).body as Hello).allowed, ["cancel"]);
    await run(async () => {
      await taskGroup(async (group) => {
        const endless = group.createTask(() => sleepForever(), { name: "endless" });
        await sleep(1);
        const { status, body } = await ask(socket, `/v1/cancel?task=${endless.id}`, "POST");
        assert.deepEqual([status, body], [200, { type: "cancelled", task: endless.id }]);
        await assert.rejects(async () => endless, {
          code: "MW_ERR_TASK_CANCELLED",
          message: /who looks at the program/,
        });
        assert.equal((await ask(socket, `/v1/cancel?task=${endless.id}`, "POST")).status, 404);
      });
    });
    assert.equal((await ask(socket, "/v1/cancel?task=me", "POST")).status, 400);
    assert.equal((await ask(socket, "/v1/cancel?task=1", "GET")).status, 404);
  });

  it("cancels nothing otherwise", async () => {
    await using diagnostics = startDiagnostics(OPTIONS);
    const socket = await diagnostics.ready;
    await run(async () => {
      const { status, body } = await ask(socket, `/v1/cancel?task=${currentTask().id}`, "POST");
      assert.equal(status, 403);
      assert.match((body as { error: string }).error, /allow: \["cancel"\]/);
      await sleep(1);
    });
  });

  it("answers while the event loop is blocked", async () => {
    const fixture = fileURLToPath(new URL("fixtures/blocked-with-socket.ts", import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, fixture], { stdio: ["ignore", "pipe", "inherit"] });
    const [text] = await once(child.stdout, "data");
    const socket = String(text).trim();
    let snapshot = await snapshotFrom(socket);
    while (snapshot.blocked === null) snapshot = await snapshotFrom(socket);
    assert.equal(snapshot.answered, false);
    assert.equal(snapshot.blocked.ongoing, true);
    const sleeper = snapshot.tasks.find(({ name }) => name === "sleeper");
    assert.deepEqual([sleeper?.activity, sleeper?.waits[0]?.for], ["waiting", "sleepForever"]);
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.ok(existsSync(socket));
    // The next program of this user clears up.
    const diagnostics = startDiagnostics(OPTIONS);
    assert.equal(existsSync(socket), false);
    await diagnostics[Symbol.asyncDispose]();
  });

  it("tells what is waited for without asking the program, also when one of several waits has ended", async () => {
    await using diagnostics = startDiagnostics(OPTIONS);
    const socket = await diagnostics.ready;
    await run(() =>
      taskGroup(async (group) => {
        const [lock, event] = [new Lock(), new Event()];
        using _held = await lock.acquire();
        group.createTask(() => Promise.all([lock.acquire(), event.wait()]), { name: "both" });
        await sleep(1);
        const waitsFor = async (): Promise<string | undefined> => {
          const { tasks } = await snapshotFrom(socket, "?stacks=0");
          return tasks.find(({ name }) => name === "both")?.waits[0]?.for;
        };
        assert.equal(await waitsFor(), "Event.wait");
        event.set();
        await sleep(1);
        assert.equal(await waitsFor(), "Lock.acquire");
        group.cancel();
      }),
    );
  });

  it("streams the state, then each event and change, to the end", async () => {
    const diagnostics = startDiagnostics({ ...OPTIONS, level: 2 });
    const socket = await diagnostics.ready;
    using stream = openStream(socket, "/v1/stream?events=1");
    const { seq } = await stream.until(isSnapshot);
    await run(() => taskGroup(async (group) => void group.createTask(() => sleep(1), { name: "short" })), {
      name: "main",
    });
    await diagnostics[Symbol.asyncDispose]();
    await stream.until(isEnd);
    await stream.ended;
    const events = eventsIn(stream.lines);
    assert.deepEqual(
      events.map(([number]) => number),
      Array.from(events, (_, i) => seq + 1 + i),
    );
    const short = events.find((event) => event[2] === "created" && event[5] === "short")?.[3];
    const life = events.filter(([, , , task]) => task === short).map(([, , kind]) => kind);
    assert.deepEqual(life, ["created", "wait", "resume", "ended"]);
  });

  it("gives the past out of the ring as a recording", async () => {
    await using diagnostics = startDiagnostics({ ...OPTIONS, level: 2 });
    const socket = await diagnostics.ready;
    await run(() => sleep(1), { name: "past" });
    using trace = openStream(socket, "/v1/trace?seconds=60");
    await trace.until(isEnd);
    assert.deepEqual([trace.lines[0]?.type, trace.lines.at(-1)?.type], ["hello", "bye"]);
    assert.deepEqual(
      eventsIn(trace.lines).map(([, , kind]) => kind),
      ["created", "wait", "resume", "ended", "cancelled"],
    );
    assert.deepEqual(
      (await trace.until(isSnapshot)).ended.map(({ name }) => name),
      ["past"],
    );
  });

  it("tells a reader that has fallen behind what it has lost", async () => {
    await using diagnostics = startDiagnostics({ ...OPTIONS, level: 2, maxEvents: 1_024 });
    const socket = await diagnostics.ready;
    await run(async () => {
      for (let i = 0; i < 2_000; i++) await sleep(0);
    });
    using stream = openStream(socket, "/v1/stream?events=1&from=0");
    const gap = await stream.until((line): line is GapMessage => line.type === "gap");
    await stream.until((line): line is EventsMessage => line.type === "events");
    assert.equal(gap.from, 1);
    assert.equal(eventsIn(stream.lines)[0]?.[0], gap.to + 1);
  });

  it("keeps a few megabytes for a client that reads nothing, and tells it later what it has missed", async () => {
    await using diagnostics = startDiagnostics({ ...OPTIONS, level: 2, maxEvents: 1 << 18 });
    const client = connect((await diagnostics.ready) ?? "").setEncoding("utf8");
    await once(client, "connect");
    client.write("GET /v1/stream?events=1 HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(client, "readable");
    await run(() =>
      gather(
        Array.from({ length: 1_000 }, () => async () => {
          for (let i = 0; i < 300; i++) await sleep(1);
        }),
      ),
    );
    let text = "";
    for await (const part of client as AsyncIterable<string>) {
      text += part;
      if (text.includes('"type":"gap"') || text.length > MOST_TEXT) break;
    }
    // All of it would be about 25 MB. What lies unread is 4 MB, and what the system has taken.
    const megabytes = text.indexOf('"type":"gap"') / 2 ** 20;
    assert.ok(megabytes > 1 && megabytes < 8, `${megabytes} MB came before the gap`);
  });

  it("records only some of the waits if it is told to, and every start and end", async () => {
    await using diagnostics = startDiagnostics({ ...OPTIONS, level: 2, sampling: 10 });
    const socket = await diagnostics.ready;
    await run(() =>
      taskGroup(async (group) => {
        for (let i = 0; i < 100; i++) group.createTask(() => sleep(0));
      }),
    );
    using trace = openStream(socket, "/v1/trace");
    await trace.until(isEnd);
    const kinds = Map.groupBy(eventsIn(trace.lines), ([, , kind]) => kind);
    assert.equal(kinds.get("created")?.length, 101);
    assert.equal(kinds.get("ended")?.length, 101);
    const waited = new Set(kinds.get("wait")?.map(([, , , task]) => task));
    assert.ok(waited.size >= 9 && waited.size <= 11, `${waited.size} tasks have waits`);
    for (const task of waited) assert.equal(task % 10, 0);
  });

  it("takes eight streams, and refuses the ninth", async () => {
    await using diagnostics = startDiagnostics(OPTIONS);
    const socket = await diagnostics.ready;
    using streams = new DisposableStack();
    for (let i = 0; i < 8; i++) await streams.use(openStream(socket, "/v1/stream")).until(isSnapshot);
    assert.equal((await ask(socket, "/v1/stream")).status, 503);
    assert.equal((await ask(socket, "/v1/hello")).status, 200);
  });

  it("is not held up by clients that read nothing, send nothing, or send nonsense", async () => {
    await using diagnostics = startDiagnostics({ ...OPTIONS, level: 2 });
    const socket = (await diagnostics.ready) ?? "";
    using clients = new DisposableStack();
    for (const text of ["GET /v1/stream?events=1 HTTP/1.1\r\nhost: x\r\n\r\n", "", "\0\0\0nonsense\r\n\r\n"]) {
      const client = clients.adopt(connect(socket), (one) => void one.destroy());
      client.on("error", () => {}).pause();
      await once(client, "connect");
      client.write(text);
    }
    await run(async () => {
      for (let i = 0; i < 2_000; i++) await sleep(0);
    });
    assert.equal((await ask(socket, "/v1/hello")).status, 200);
  });
});
