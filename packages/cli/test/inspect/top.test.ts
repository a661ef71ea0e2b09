// meanwhile top: the keys, the picture, and the terminal.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { describe, it } from "node:test";

import { LiveState, type StreamMessage, type TaskRecord } from "meanwhile/diagnostics";

import {
  block,
  delta,
  hello,
  snapshot,
  task,
  wait,
  warning,
} from "../../../meanwhile/test/diagnostics/reading/told.ts";
import { Paper } from "../../src/inspect/paper.ts";
import { StepRates } from "../../src/inspect/step-rates.ts";
import { renderTop } from "../../src/inspect/top-frame.ts";
import { keysIn, pressed, type TopView } from "../../src/inspect/top-view.ts";
import { widthOf } from "../../src/output/text-width.ts";
import { BIN } from "../support/cli.ts";
import { SocketFolder } from "./fake-program.ts";

const VIEW: TopView = {
  sort: "since",
  all: false,
  filter: "",
  reversed: false,
  isTyping: false,
  isPaused: false,
  scrolled: 0,
  isOver: false,
};

function typing(text: string, view: TopView = VIEW): TopView {
  return keysIn(text).reduce(pressed, view);
}

interface Drawing {
  readonly view?: Partial<TopView>;
  readonly columns?: number;
  readonly rows?: number;
}

function drawn(messages: readonly StreamMessage[], { view = {}, columns = 80, rows = 24 }: Drawing = {}): string[] {
  const [state, rates] = [new LiveState(), new StepRates()];
  for (const message of messages) {
    state.apply(message);
    rates.look(state);
  }
  return renderTop({ state, rates, view: { ...VIEW, ...view } }, new Paper(columns, null), rows);
}

const TASKS: readonly TaskRecord[] = [
  task(1, "main", { sinceMs: 50, createdAtMs: 1 }),
  task(2, "worker 1", { sinceMs: 10, createdAtMs: 20, waits: [wait("sleep")] }),
  task(3, "worker 2", { sinceMs: 30, createdAtMs: 20, waits: [wait("sleep")] }),
  task(4, "alpha", { sinceMs: 90, createdAtMs: 5 }),
];
const STATE = [hello(), snapshot({ tasks: TASKS })];
const namesIn = (lines: readonly string[]): string[] => lines.join("\n").match(/main|worker \S|alpha/g) ?? [];

describe("The picture of top", () => {
  it("is as high and as wide as the terminal", () => {
    const many = Array.from({ length: 90 }, (_, index) => task(index + 1, `${"名".repeat(index)}🧠`));
    const warnings = Array.from({ length: 20 }, (_, id) => warning({ id, message: "wide ".repeat(50) }));
    for (const [columns, rows] of [
      [80, 24],
      [120, 40],
      [30, 8],
      [1, 1],
    ] as const) {
      const lines = drawn([hello(), snapshot({ tasks: many, warnings, blocked: block() })], {
        columns,
        rows,
        view: { all: true },
      });
      assert.ok(lines.length <= rows, `${columns} x ${rows}`);
      for (const line of lines) assert.ok(widthOf(line) <= columns, line);
    }
  });

  it("has one row for tasks that are alike, and one for each after g", () => {
    assert.deepEqual(namesIn(drawn(STATE)), ["worker *", "main", "alpha"]);
    assert.deepEqual(namesIn(drawn(STATE, { view: typing("g") })), ["worker 1", "worker 2", "main", "alpha"]);
  });

  it("has first what was sorted for", () => {
    const steps = delta({ atMs: 1_200, tasks: [task(4, "alpha", { steps: 91 })] });
    const first = (keys: string): string | undefined => namesIn(drawn([...STATE, steps], { view: typing(keys) }))[0];
    assert.deepEqual(
      [first(""), first("s"), first("ss"), first("sss"), first("ssss"), first("ssssr")],
      ["worker *", "worker *", "alpha", "main", "alpha", "worker *"],
    );
  });

  it("tells how many steps tasks make in a second", () => {
    const steps = delta({ atMs: 1_200, tasks: [task(4, "alpha", { steps: 111 })] });
    assert.match(drawn([...STATE, steps]).join("\n"), /alpha .* 100 {2}Queue\.get/);
  });

  it("has blocks and warnings above the tasks, in one line each, and says how many more there are", () => {
    const warnings = [1, 2, 3, 4].map((id) => warning({ id, message: `warning ${id}` }));
    const circle = warning({ id: 9, kind: "wait-cycle", severity: "error", message: "a circle" });
    const lines = drawn(
      [
        hello(),
        snapshot({ tasks: TASKS, warnings: [...warnings, circle] }),
        { type: "block", block: block({ ongoing: true, message: "blocked!" }) },
      ],
      { rows: 12 },
    );
    assert.deepEqual(lines.slice(2, 7), [
      "! blocked!",
      "! a circle",
      "! warning 1",
      "! warning 2",
      "… and 2 more warnings: see meanwhile ps",
    ]);
  });

  it("shows what the filter lets through, and scrolls no further than there is something", () => {
    assert.deepEqual(namesIn(drawn(STATE, { view: typing("/SLEEP\r") })), ["worker *"]);
    const scrolled = drawn(STATE, { view: { ...typing("g"), scrolled: 99 }, rows: 7 });
    assert.deepEqual(namesIn(scrolled), ["worker 2", "main", "alpha"]);
  });

  it("lets nothing of the program speak to the terminal", () => {
    const evil = "\u001b[2J\r\n\u009b31m\u202e";
    const tasks = [task(1, evil, { waits: [wait(evil)] })];
    const lines = drawn([
      hello(),
      snapshot({ tasks, warnings: [warning({ message: evil })], blocked: block({ message: evil }) }),
    ]);
    assert.doesNotMatch(lines.join(""), /[\p{Cc}\u202e]/u);
  });

  it("waits for a program that has said nothing yet", () => assert.equal(drawn([]).length, 1));
});

describe("The keys of top", () => {
  it("are told apart, also when they come at once", () => {
    assert.deepEqual(keysIn("s\u001b[A\u001b[6~g\u001bOB\u001b名"), [
      "s",
      "\u001b[A",
      "\u001b[6~",
      "g",
      "\u001bOB",
      "\u001b",
      "名",
    ]);
  });

  it("quit, pause and scroll", () => {
    for (const key of ["q", "\u0003", "\u0004"]) assert.ok(typing(key).isOver);
    assert.ok(typing("p").isPaused);
    assert.equal(typing("pp").isPaused, false);
    assert.equal(typing("\u001b[Bj\u001b[6~\u001b[A").scrolled, 11);
    assert.equal(typing("\u001b[A").scrolled, 0);
    assert.equal(typing("jj\u001b[H").scrolled, 0);
  });

  it("write a filter that Enter keeps and Escape removes", () => {
    assert.deepEqual([typing("/quit\r").filter, typing("/quit\r").isOver], ["quit", false]);
    assert.equal(typing("/ab\u007fc\r").filter, "ac");
    assert.equal(typing("/ab\u001b").filter, "");
    assert.equal(typing("/ab\r\u001b").filter, "");
    assert.equal(typing("/a\u001b[Ab").filter, "ab");
    assert.ok(typing("/a\u0003").isOver);
  });
});

// Of util-linux: runs a command at a terminal of its own.
const TERMINAL = "script";
const hasScript = spawnSync(TERMINAL, ["--version"]).status === 0;

describe("meanwhile top", () => {
  it("needs a terminal", async () => {
    await using folder = new SocketFolder();
    const { exit, stderr } = await folder.cli(["top", "1"]);
    assert.deepEqual([exit, stderr], [2, "meanwhile: top needs a terminal; meanwhile ps PID prints the state once\n"]);
  });

  it("takes the terminal, and gives it back as it was", { skip: !hasScript && "no script of util-linux" }, async () => {
    for (const key of ["q", "\u0003"]) {
      await using folder = new SocketFolder();
      await folder.start({
        other: (response) => response.write(STATE.map((message) => `${JSON.stringify(message)}\n`).join("")),
      });
      const command = `stty cols 80 rows 24; ${process.execPath} --conditions=@meanwhile/source ${BIN} top ${process.pid}; echo "<$?>"; stty -a | grep -o ' icanon'`;
      const env: NodeJS.ProcessEnv = { ...process.env, XDG_RUNTIME_DIR: folder.root, NO_COLOR: "1", TERM: "xterm" };
      delete env["NODE_TEST_CONTEXT"];
      const child = spawn(TERMINAL, ["-qec", command, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
      let screen = "";
      for await (const chunk of child.stdout.setEncoding("utf8")) {
        if (!screen.includes("worker *") && (screen + chunk).includes("worker *")) child.stdin.write(key);
        screen += chunk;
      }
      child.stdin.end();
      const [, taken = ""] = screen.split("\u001b[?1049h\u001b[?25l");
      const [inside = "", afterwards = ""] = taken.split("\u001b[?25h\u001b[?1049l");
      assert.match(inside, /worker \* .*sleep/);
      assert.match(afterwards, /<0>\r\n icanon/);
    }
  });

  it("ends when the program ends, and says so", { skip: !hasScript && "no script of util-linux" }, async () => {
    await using folder = new SocketFolder();
    await folder.start({ stream: [...STATE, { type: "bye", atMs: 200 }] });
    const env: NodeJS.ProcessEnv = { ...process.env, XDG_RUNTIME_DIR: folder.root, NO_COLOR: "1", TERM: "xterm" };
    delete env["NODE_TEST_CONTEXT"];
    const command = `${process.execPath} --conditions=@meanwhile/source ${BIN} top ${process.pid}`;
    const child = spawn(TERMINAL, ["-qec", command, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
    let screen = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) screen += chunk;
    child.stdin.end();
    assert.match(screen.slice(screen.indexOf("1049l")), new RegExp(`meanwhile top: ${process.pid} has ended`));
  });
});
