// meanwhile ps and pstree: what a program answers, as text and as JSON.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";

import type { Snapshot, TaskRecord } from "meanwhile/diagnostics";

import {
  block,
  hello,
  place,
  snapshot,
  task,
  wait,
  warning,
} from "../../../meanwhile/test/diagnostics/reading/told.ts";
import { Paper, type Style } from "../../src/inspect/paper.ts";
import { renderPs } from "../../src/inspect/ps.ts";
import { renderTree } from "../../src/inspect/pstree.ts";
import type { Ended } from "../support/cli.ts";
import { type Answers, SocketFolder } from "./fake-program.ts";

const PID = String(process.pid);

async function shown(command: readonly string[], changes: Partial<Snapshot>): Promise<string> {
  await using folder = new SocketFolder();
  await folder.start({ snapshot: snapshot(changes) });
  const { exit, stdout, stderr } = await folder.cli([...command.slice(0, 1), PID, ...command.slice(1)]);
  assert.deepEqual([exit, stderr], [0, ""]);
  return stdout;
}

async function asked(args: readonly string[], answers: Answers): Promise<Ended> {
  await using folder = new SocketFolder();
  await folder.start(answers);
  return await folder.cli(args);
}

const queueWait = { waits: [wait("Queue.get (it is empty)", { stack: [place("take", 3), place("worker", 9)] })] };
const workers = (count: number): TaskRecord[] =>
  Array.from({ length: count }, (_, index) => task(index + 2, `worker ${index}`, queueWait));
const main = task(1, "main", { waits: [wait("its tasks", { stack: [place("", 20)] })] });

const philosophers = [
  task(7, "Plato", { waits: [wait('Lock.acquire (held by task 8 "Kant")')] }),
  task(8, "Kant", { waits: [wait('Lock.acquire (held by task 7 "Plato")')] }),
];

describe("meanwhile ps PID", () => {
  it("shows tasks that stand at the same place as one row with their number, and the stack once", async () => {
    assert.equal(
      await shown(["ps"], { tasks: [main, ...workers(5_000)] }),
      `app.ts  pid 4242  Node 26.0.0  up 100 ms
5 001 tasks: 5 001 waiting  loop delay 0.10 ms, p99 2.00 ms, max 3.00 ms

   TASK  NAME      STATE      SINCE  WAITS FOR
5 000 ×  worker *  waiting  90.0 ms  Queue.get (it is empty)
          at take (/srv/app.ts:3:5)
          at worker (/srv/app.ts:9:5)
      1  main      waiting  90.0 ms  its tasks
          at /srv/app.ts:20:5
`,
    );
  });

  it("colours states alone, whatever tasks are called", () => {
    const names = ["waiting", "running", "cancelled", "toString", "constructor", "__proto__", "valueOf"];
    const tasks = names.map((name, index) => task(index + 1, name, { activity: "running" }));
    const colours: string[] = [];
    const paper = new (class extends Paper {
      override style(format: Style, text: string): string {
        colours.push(`${String(format)} ${text.trim()}`);
        return super.style(format, text);
      }
    })(80, null);
    const options = { all: true, stacks: true, filter: undefined };
    renderPs(hello(), snapshot({ tasks }), options, paper);
    assert.deepEqual(
      colours.filter((told) => !/^(bold|dim)/.test(told)),
      names.map(() => "green running"),
    );
    colours.length = 0;
    const strange = tasks.map((told) => ({ ...told, activity: told.name })) as TaskRecord[];
    assert.match(renderTree(hello(), snapshot({ tasks: strange }), options, paper), /valueOf/);
    assert.doesNotMatch(colours.join("\n"), /native code|object/);
  });

  it("says of tasks without names that they have none", async () => {
    const text = await shown(["ps"], { tasks: [task(2, "task 2"), task(3, "task 3")], cycles: [[2, 3]] });
    assert.match(text, /^ {4}task 2 waits for/m);
    assert.match(text, /^ 2 ×  \(no names\)/m);
  });

  it("shows a circle of waits first", async () => {
    const text = await shown(["ps"], { tasks: philosophers, cycles: [[7, 8]] });
    assert.deepEqual(text.split("\n").slice(2, 5), [
      "! 2 tasks wait in a circle, and none of them can go on:",
      '    task 7 "Plato" waits for Lock.acquire (held by task 8 "Kant")',
      '    task 8 "Kant" waits for Lock.acquire (held by task 7 "Plato")',
    ]);
  });

  it("shows warnings that are the case, the worst first, with what to do", async () => {
    const text = await shown(["ps"], {
      warnings: [
        warning(),
        warning({ id: 2, overAtMs: 5, message: "over" }),
        warning({ id: 3, severity: "error", message: "bad" }),
      ],
    });
    assert.match(text, /! bad\n {2}→ give it a timeout\n! Task 2 "writer" waits/);
    assert.doesNotMatch(text, /over/);
  });

  it("tells of a block, and that stacks are not known meanwhile", async () => {
    const blocked = block({ ongoing: true, message: "The event loop has been blocked for 800 ms" });
    const text = await shown(["ps"], { blocked, answered: false });
    assert.match(text, /! The event loop has been blocked for 800 ms\nStacks and holders cannot be told/);
  });

  it("shows each task by itself with --all, and no stacks with --no-stacks", async () => {
    const text = await shown(["ps", "--all", "--no-stacks"], { tasks: workers(3) });
    assert.match(text, / {3}2 {2}worker 0 .*\n {3}3 {2}worker 1 .*\n {3}4 {2}worker 2 .*\n$/);
  });

  it("shows only tasks that match --filter, by whatever is shown of them", async () => {
    const rows = async (filter: string): Promise<number> =>
      (await shown(["ps", "--all", "--no-stacks", "--filter", filter], { tasks: [main, ...workers(2)] })).split("\n")
        .length - 5;
    assert.deepEqual(
      [await rows("WORKER 1"), await rows("queue.get"), await rows("app.ts:9"), await rows("nothing")],
      [1, 2, 2, -1],
    );
  });

  it("says what else a task waits for, and that it is cancelled", async () => {
    const text = await shown(["ps"], {
      tasks: [
        task(1, "main", { cancelledAtMs: 50, waits: [wait("sleep"), wait("Event.wait", { stack: [place("ready")] })] }),
      ],
    });
    assert.match(text, /main {2}cancelled .* sleep\n {10}and for Event.wait\n {12}at ready/);
  });

  it("lets nothing of the program speak to the terminal", async () => {
    const evil = "\u001b]0;owned\u0007\u001b[31m\r\n\u202e\u009b2J";
    const tasks = [
      task(1, evil, { waits: [wait(evil, { stack: [{ function: evil, file: evil, line: 1, column: 1 }] })] }),
      task(2, evil),
    ];
    const changes = {
      tasks,
      cycles: [[1, 2]],
      warnings: [warning({ message: evil, remedy: evil })],
      blocked: block({ message: evil }),
    };
    const program = { pid: 4242, script: `/srv/${evil}`, node: evil, timeOriginMs: 0 };
    for (const args of [["ps", PID], ["pstree", PID], ["ps", PID, "--json"], ["pstree", PID, "--json"], ["ps"]]) {
      const { stdout, exit } = await asked(args, { hello: hello({ program }), snapshot: snapshot(changes) });
      assert.equal(exit, 0);
      assert.doesNotMatch(stdout.replaceAll("\n", ""), /[\p{Cc}\u202e]/u, args.join(" "));
    }
  });

  it("with --json gives the program and the snapshot as they were told", async () => {
    const told = { tasks: [main, ...workers(2)], cycles: [[2, 3]], seq: 9 };
    const { program, snapshot: state } = JSON.parse(await shown(["ps", "--json"], told)) as Record<string, unknown>;
    assert.deepEqual(program, hello().program);
    assert.deepEqual(state, snapshot(told));
  });

  it("asks for no stacks that it does not show", async () => {
    await using folder = new SocketFolder();
    await folder.start({});
    await folder.cli(["ps", PID, "--no-stacks"]);
    assert.deepEqual(folder.asked, ["/v1/hello", "/v1/snapshot?stacks=0"]);
  });
});

describe("meanwhile pstree PID", () => {
  it("draws tasks below those they belong to, and branches that look the same once", async () => {
    const group = (id: number, name: string): TaskRecord[] => [
      task(id, name, { waits: [wait("2 of its tasks (taskGroup)")] }),
      task(id + 1, "reader", { parent: id }),
      task(id + 2, "writer", { parent: id, waits: [] }),
    ];
    const text = await shown(["pstree"], {
      tasks: [main, ...group(2, "host 1"), ...group(5, "host 2"), task(9, "last")],
    });
    assert.equal(
      text.split("\n").slice(3).join("\n"),
      `1 main  waiting 90.0 ms: its tasks
│    at /srv/app.ts:20:5
├─ 2 × host *  waiting 90.0 ms: 2 of its tasks (taskGroup), each with:
│  ├─ 3 reader  waiting 90.0 ms: Queue.get (it is empty)
│  └─ 4 writer  running 90.0 ms
└─ 9 last  waiting 90.0 ms: Queue.get (it is empty)
`,
    );
  });

  it("says which deadlines and shields are around what a task waits for", async () => {
    const scope = { shielded: false, cancelled: false, deadlineAtMs: null };
    const scopes = [{ ...scope, deadlineAtMs: 2_100 }, scope, { ...scope, shielded: true, deadlineAtMs: 350 }];
    const text = await shown(["pstree"], { tasks: [task(1, "main", { scopes })] });
    assert.match(text, /^1 main .*\n {3}inside of a deadline in 2\.00 s, a shield with a deadline in 250 ms\n/m);
    const none = await shown(["pstree"], { tasks: [task(1, "main", { scopes: [scope] })] });
    assert.doesNotMatch(none, /inside of/);
  });

  it("takes a task whose parent is not there for one at the top", async () => {
    assert.match(await shown(["pstree"], { tasks: [task(3, "orphan", { parent: 2 })] }), /^3 orphan/m);
  });

  it("draws trees deeper than any stack", async () => {
    const tasks = Array.from({ length: 30_000 }, (_, index) =>
      task(index + 1, `level ${index}`, { parent: index === 0 ? null : index }),
    );
    const text = await shown(["pstree", "--no-stacks"], { tasks });
    assert.match(text, /└─ 30000 level 29999/);
  });

  it("keeps those above a task that matches --filter", async () => {
    const tasks = [main, task(2, "group"), task(3, "needle", { parent: 2 }), task(4, "hay", { parent: 2 })];
    const text = await shown(["pstree", "--no-stacks", "--filter", "needle"], { tasks });
    assert.deepEqual(text.match(/main|group|needle|hay/g), ["main", "group", "needle"]);
  });

  it("with --json gives tasks in the order of the tree, with their depth", async () => {
    const tasks = [main, task(2, "a"), task(3, "b"), task(4, "below a", { parent: 2 })];
    const { tasks: told } = JSON.parse(await shown(["pstree", "--json"], { tasks })) as {
      tasks: Array<TaskRecord & { depth: number }>;
    };
    assert.deepEqual(
      told.map(({ id, depth }) => [id, depth]),
      [
        [1, 0],
        [2, 1],
        [4, 2],
        [3, 1],
      ],
    );
  });
});

describe("meanwhile ps", () => {
  it("lists the programs that can be asked, and what is wrong with them", async () => {
    await using folder = new SocketFolder();
    await folder.start(
      { snapshot: snapshot({ tasks: philosophers, cycles: [[7, 8]], blocked: block({ durationMs: 700 }) }) },
      "11",
    );
    await folder.start({}, "12-3");
    writeFileSync(join(folder.path, "13.sock"), ""); // killed: nobody listens
    const { stdout, exit } = await folder.cli(["ps"]);
    assert.equal(exit, 0);
    assert.equal(
      stdout,
      ` PID  PROGRAM      UP  TASKS  WAITING  STATE
  11  app.ts   100 ms      2        2  loop blocked for 700 ms, tasks wait in a circle
12-3  app.ts   100 ms      0        0  ok
`,
    );
    const { stdout: json } = await folder.cli(["ps", "--json"]);
    assert.deepEqual(
      (JSON.parse(json) as Array<{ pid: number; thread: number }>).map(({ pid, thread }) => [pid, thread]),
      [
        [11, 0],
        [12, 3],
      ],
    );
  });

  it("says how to make a program answer if none does", async () => {
    await using folder = new SocketFolder();
    assert.match((await folder.cli(["ps"])).stdout, /No program can be asked: start one with meanwhile run/);
    assert.equal((await folder.cli(["ps", "--json"])).stdout, "[]\n");
  });
});

describe("A program that cannot be asked", () => {
  const failed = ({ exit, stderr }: Ended): unknown[] => [exit, stderr.replace(/\n$/, "")];

  it("has no diagnostics, or is not there", async () => {
    await using folder = new SocketFolder();
    const hint = "meanwhile ps lists the programs that can be asked";
    assert.deepEqual(failed(await folder.cli(["ps", PID])), [
      3,
      `meanwhile: cannot ask ${PID}: its diagnostics are not on; start it with meanwhile run, or call startDiagnostics() in it`,
    ]);
    assert.deepEqual(failed(await folder.cli(["ps", "999999999"])), [
      3,
      `meanwhile: cannot ask 999999999: there is no such process; ${hint}`,
    ]);
    assert.deepEqual(failed(await folder.cli(["pstree", "x"])), [2, `meanwhile: "x" is no process id; ${hint}`]);
  });

  it("is not looked for in a folder that others can look into", async () => {
    await using folder = new SocketFolder();
    await folder.start({});
    folder.open();
    assert.equal((await folder.cli(["ps", PID])).exit, 3);
    assert.deepEqual(folder.asked, []);
  });

  it("refuses, in words that are safe to show", async () => {
    const { exit, stderr } = await asked(["ps", PID], {
      other: (response) => response.writeHead(503).end(JSON.stringify({ type: "refusal", error: "Cannot \u001b[31m" })),
    });
    assert.deepEqual([exit, stderr], [3, `meanwhile: ${PID} refuses: Cannot \\u001b[31m\n`]);
  });

  it("answers something else, or half of it, or speaks a newer protocol", async () => {
    const answers = async (other: Answers["other"]): Promise<unknown[]> => {
      const { exit, stderr } = await asked(["ps", PID], other === undefined ? {} : { other });
      return [exit, stderr.slice(`meanwhile: `.length).replace(PID, "PID")];
    };
    assert.deepEqual(await answers((response) => response.end("<html>")), [
      3,
      "PID gives an answer that cannot be understood\n",
    ]);
    const half = (await answers((response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => response.destroy());
    })) as [number, string];
    assert.equal(half[0], 3);
    assert.match(half[1], /^PID runs, and has closed the connection: too many may be asking it at once/);
    // Nobody has this number: it is larger than any that there is.
    await using folder = new SocketFolder();
    await folder.start({ other: (response) => void response.destroy() }, "999999999");
    assert.deepEqual(failed(await folder.cli(["ps", "999999999"])), [3, "meanwhile: 999999999 has ended"]);
    const newer = await answers((response) => response.end(JSON.stringify(hello({ protocol: 9 }))));
    assert.match(String(newer[1]), /^cannot ask PID: Cannot read version 9 of the protocol/);
  });

  it("listens and says nothing: Ctrl-C ends the question", async () => {
    await using folder = new SocketFolder();
    const connected = Promise.withResolvers<void>();
    await using silent = createServer((socket) => {
      socket.on("error", () => {}).resume();
      connected.resolve();
    });
    await once(silent.listen(join(folder.path, `${PID}.sock`)), "listening");
    const { child, ended } = folder.startCli(["ps", PID]);
    await connected.promise;
    child.kill("SIGINT");
    const { exit, stderr } = await ended;
    assert.deepEqual([exit, stderr], [130, ""]);
  });
});
