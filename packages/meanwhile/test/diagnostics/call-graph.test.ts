// The call graph of code that is not instrumented: tasks and what they wait for. Stacks: packages/instrument/test.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, createTask, Lock, run, sleep, sleepForever, taskGroup } from "meanwhile";
import { captureCallGraph, formatCallGraph, printCallGraph } from "meanwhile/diagnostics";

const numbered = (text: string): string => text.replaceAll(/task \d+/g, "task #");

describe("The call graph", () => {
  it("has all tasks of a run, each with what it waits for, children below their parents", async () => {
    const text = await run(
      async function main() {
        const lock = new Lock();
        using held = await lock.acquire();
        assert.ok(held);
        let graph = "";
        const foreign = Promise.withResolvers<void>();
        await cancelScope((scope) =>
          taskGroup(async function body(group) {
            createTask(() => sleepForever(), { name: "background" });
            group.createTask(
              () =>
                taskGroup((inner) => {
                  inner.createTask(() => Promise.all([sleepForever(), lock.acquire()]), { name: "two waits" });
                }),
              { name: "parent" },
            );
            group.createTask(() => foreign.promise, { name: "foreign" });
            // Once is enough, but on a busy computer: there the lock gives the event loop a turn first.
            for (let turn = 0; turn < 3; turn++) await sleep(0);
            group.createTask(() => sleepForever(), { name: "late" });
            graph = formatCallGraph(captureCallGraph());
            scope.cancel();
            foreign.resolve();
          }),
        );
        return graph;
      },
      { name: "server" },
    );
    assert.equal(
      numbered(text),
      `run "server"
  task # "server" is running
    task # "parent" waits for 1 of its tasks (taskGroup)
      task # "two waits" waits for sleepForever
        and for Lock.acquire (held by task # "server")
    task # "foreign" waits for a promise that is not one of meanwhile
    task # "late" has not started
  task # "background" waits for sleepForever`,
    );
  });

  it("is data, with nothing of the runtime in it", async () => {
    const graph = await run(async function main() {
      return captureCallGraph();
    });
    const { id } = graph[0]?.tasks[0] ?? {};
    assert.deepEqual(JSON.parse(JSON.stringify(graph)), [
      { name: "run", tasks: [{ id, name: "main", state: "running", stacks: [], children: [] }] },
    ]);
  });

  it("of tasks that are nested deeper than the stack is, can be taken and printed", async () => {
    const lines = await run(async () => {
      let taken = "";
      const nest = async (depth: number): Promise<void> => {
        if (depth === 0) taken = formatCallGraph(captureCallGraph());
        else await taskGroup((group) => void group.createTask(() => nest(depth - 1)));
      };
      await nest(3_000);
      return taken.split("\n").length;
    });
    assert.equal(lines, 3_002);
  });

  it("says so where no run is active, and is printed to stderr", (context) => {
    const write = context.mock.method(process.stderr, "write", () => true);
    printCallGraph();
    assert.deepEqual(write.mock.calls[0]?.arguments, ["no run is active\n"]);
  });
});
