import { run, shield, taskGroup } from "meanwhile";
import { captureCallGraph, type SuspendedCall } from "meanwhile/diagnostics";
import pMap from "p-map";

import { callLater, type Log, turns } from "./foreign.ts";

/** Which functions wait below the innermost run's main task, through which: innermost first. */
function stacks(): string[] {
  const children = captureCallGraph().at(-1)?.tasks[0]?.children ?? [];
  return children.flatMap((task) =>
    task.stacks.map(({ calls, waitsFor }) => `${waitsFor}: ${calls.map(nameOfCall).join(" < ")}`),
  );
}

function nameOfCall({ function: name }: SuspendedCall): string {
  return name;
}

async function showSoon(log: Log): Promise<void> {
  await turns(1);
  for (const line of stacks()) if (!line.includes("showSoon")) log(line);
}

async function leaf(count: number): Promise<void> {
  await turns(count);
}

/** Runs a program beside one that looks at it. */
async function looked(log: Log, program: () => Promise<unknown>): Promise<void> {
  await run(() =>
    taskGroup((group) => {
      group.createTask(program);
      group.createTask(() => showSoon(log));
    }),
  );
}

export function methods(log: Log): Promise<void> {
  class Shop {
    static async open(): Promise<void> {
      await new Shop().#sell();
    }
    async #sell(): Promise<void> {
      await this.pack();
    }
    async pack(): Promise<void> {
      await leaf(3);
    }
  }
  return looked(log, () => Shop.open());
}

export function calledBack(log: Log): Promise<void> {
  return looked(log, async function program() {
    await callLater(() => leaf(3));
  });
}

export function mapped(log: Log): Promise<void> {
  return looked(log, async function program() {
    await pMap([3, 4], leaf);
  });
}

export function generated(log: Log): Promise<void> {
  async function* source(): AsyncGenerator<number, void> {
    await leaf(3);
    yield 1;
  }
  return looked(log, async function program() {
    for await (const item of source()) log(`item ${item}`);
  });
}

export function disposed(log: Log): Promise<void> {
  class Connection implements AsyncDisposable {
    async [Symbol.asyncDispose](): Promise<void> {
      await leaf(3);
    }
  }
  return looked(log, async function program() {
    await using connection = new Connection();
    log(`open: ${connection instanceof Connection}`);
  });
}

export function inScopes(log: Log): Promise<void> {
  return looked(log, async function program() {
    await shield(async function inner() {
      await leaf(3);
    });
  });
}

export function afterItsParent(log: Log): Promise<void> {
  const starts = async (): Promise<void> => {
    void leaf(3);
    await Promise.resolve();
  };
  return looked(log, async function program() {
    await starts();
    await leaf(3);
  });
}

export async function moduleThatWaits(log: Log): Promise<void> {
  await looked(log, async function program() {
    await import("./waiting-module.ts");
  });
}

export async function moduleThatFails(log: Log): Promise<void> {
  await run(async () => {
    try {
      await import("./failing-module.ts");
    } catch (error) {
      log(String(error));
    }
    await turns(1);
  });
}

export async function outsideOfRuns(log: Log): Promise<void> {
  async function* source(): AsyncGenerator<number, void> {
    yield 1;
    yield* [2];
  }
  await leaf(1);
  for await (const item of source()) log(`item ${item}`);
  log(`frames: ${stacks().length}`);
}
