import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run, sleepForever, taskGroup } from "meanwhile";
import { type OtelApi, type OtelSpan, traceTasks } from "meanwhile/diagnostics";

class FakeSpan implements OtelSpan {
  readonly name: string;
  readonly parent: FakeSpan | null;
  readonly notes: string[] = [];
  ends = 0;

  constructor(name: string, parent: FakeSpan | null) {
    this.name = name;
    this.parent = parent;
  }

  setAttribute(name: string, value: unknown): void {
    this.notes.push(`${name}=${String(value)}`);
  }

  setStatus({ code, message }: { code: number; message?: string }): void {
    this.notes.push(`status ${code} ${message}`);
  }

  recordException(error: Error | string): void {
    this.notes.push(`exception ${String(error)}`);
  }

  end(): void {
    this.ends += 1;
  }
}

interface FakeContext {
  readonly span: FakeSpan | null;
}

function fakeApi(): { api: OtelApi<FakeContext>; spans: FakeSpan[] } {
  const spans: FakeSpan[] = [];
  const outer = new FakeSpan("request", null);
  const api: OtelApi<FakeContext> = {
    context: { active: () => ({ span: outer }) },
    trace: {
      setSpan: (_context, span) => ({ span }),
      getTracer: () => ({
        startSpan: (name, _options, { span }) => {
          const made = new FakeSpan(name, span);
          spans.push(made);
          return made;
        },
      }),
    },
  };
  return { api, spans };
}

describe("traceTasks", () => {
  it("makes a span of each task, below that of its parent, with how it has ended", async () => {
    const { api, spans } = fakeApi();
    using _tracing = traceTasks(api);
    await run(
      () =>
        taskGroup(async (group) => {
          group.createTask(() => sleepForever(), { name: "stopped" }).cancel();
          const failing = group.createTask(() => Promise.reject(new RangeError("no")), { name: "failing" });
          await Promise.resolve(failing).catch(() => {});
        }),
      { name: "main" },
    ).catch(() => {});
    const [main, stopped, failing] = spans;
    assert.deepEqual(
      spans.map(({ name, ends }) => [name, ends]),
      [
        ["task main", 1],
        ["task stopped", 1],
        ["task failing", 1],
      ],
    );
    assert.equal(main?.parent?.name, "request");
    assert.equal(stopped?.parent, main);
    assert.deepEqual(stopped?.notes, ["meanwhile.outcome=cancelled"]);
    assert.deepEqual(failing?.notes, ["meanwhile.outcome=failed", "exception RangeError: no", "status 2 no"]);
  });

  it("leaves out tasks that are not wanted, and gives their children to the next above", async () => {
    const { api, spans } = fakeApi();
    using _tracing = traceTasks(api, { filter: ({ name }) => name !== "between" });
    await run(
      () =>
        taskGroup(
          (group) =>
            void group.createTask(() => taskGroup((inner) => void inner.createTask(() => {}, { name: "leaf" })), {
              name: "between",
            }),
        ),
      { name: "main" },
    );
    assert.deepEqual(
      spans.map(({ name, parent }) => [name, parent?.name]),
      [
        ["task main", "request"],
        ["task leaf", "task main"],
      ],
    );
  });

  it("ends the spans that are open when it is disposed", async () => {
    const { api, spans } = fakeApi();
    await run(() => {
      traceTasks(api)[Symbol.dispose]();
      const tracing = traceTasks(api);
      return taskGroup((group) => {
        const task = group.createTask(() => sleepForever());
        tracing[Symbol.dispose]();
        task.cancel();
      });
    });
    assert.deepEqual(
      spans.map(({ ends }) => ends),
      [1],
    );
  });
});
