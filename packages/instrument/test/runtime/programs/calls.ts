import { type CancelScope, cancelScope, run, shield, taskGroup } from "meanwhile";
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
  await turns(3);
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
      await leaf(5);
    }
  }
  return looked(log, () => Shop.open());
}

export function calledBack(log: Log): Promise<void> {
  return looked(log, async function program() {
    await callLater(() => leaf(5));
  });
}

export function calledBackThroughAnother(log: Log): Promise<void> {
  const gives = async (callback: () => Promise<void>): Promise<void> => {
    await callLater(callback);
  };
  return looked(log, async function program() {
    await gives(async () => {
      await leaf(5);
    });
  });
}

export function calledBackByStranger(log: Log): Promise<void> {
  const ready = Promise.withResolvers<() => Promise<void>>();
  return looked(log, async function program() {
    const stranger = async (): Promise<void> => {
      const callback = await ready.promise;
      await callLater(callback);
    };
    const owner = async (): Promise<void> => {
      ready.resolve(async () => {
        await leaf(6);
      });
      await turns(9);
    };
    await Promise.all([stranger(), owner()]);
  });
}

export function whileScopeIsLeft(log: Log): Promise<void> {
  const part = async (cleanupTurns: number): Promise<void> => {
    try {
      await turns(9);
    } finally {
      await turns(cleanupTurns);
    }
  };
  // Not given as a literal: nobody waits for what it returns but the scope.
  const body = (scope: CancelScope): Promise<void> => {
    setImmediate(() => scope.cancel());
    return Promise.race([part(0), part(9)]);
  };
  return looked(log, async function program() {
    await cancelScope(body);
  });
}

export function mapped(log: Log): Promise<void> {
  return looked(log, async function program() {
    await pMap([5, 6], leaf);
  });
}

export function generated(log: Log): Promise<void> {
  async function* source(): AsyncGenerator<number, void> {
    await leaf(5);
    yield 1;
  }
  return looked(log, async function program() {
    for await (const item of source()) log(`item ${item}`);
  });
}

async function disposes(log: Log): Promise<void> {
  await using resource: AsyncDisposable = {
    async [Symbol.asyncDispose]() {
      await leaf(1);
      log("disposed of");
    },
  };
  log(`uses an ${typeof resource}`);
}

export function disposed(log: Log): Promise<void> {
  class Connection implements AsyncDisposable {
    async [Symbol.asyncDispose](): Promise<void> {
      await leaf(5);
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
      await leaf(5);
    });
  });
}

export function afterItsParent(log: Log): Promise<void> {
  const starts = async (): Promise<void> => {
    void leaf(5);
    await Promise.resolve();
  };
  return looked(log, async function program() {
    await starts();
    await leaf(5);
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
  await disposes(log);
  log(`frames: ${stacks().length}`);
}
