import { cancelScope, isCancelled, moveOnAfter, shield, sleep, type TaskGroup, taskGroup, timeout } from "meanwhile";

import { callLater, type Log, nameOf, never, turns } from "./foreign.ts";

async function part(log: Log, name: string, cleanupTurns = 1): Promise<string> {
  try {
    await never();
  } finally {
    await turns(cleanupTurns);
    log(`${name} ends`);
  }
  return name;
}

export async function innerTimeoutAlone(log: Log): Promise<void> {
  try {
    await cancelScope(async () => {
      try {
        await cancelScope(async (inner) => {
          setImmediate(() => inner.cancel());
          await Promise.all([part(log, "a", 2), part(log, "b", 1)]);
        });
        log("the outer scope goes on");
        await turns(1);
      } finally {
        log("outer ends");
      }
    });
  } catch (error) {
    log(`not reached: ${nameOf(error)}`);
  }
}

export async function outerWhileInnerUnwinds(log: Log): Promise<void> {
  await cancelScope(async (outer) => {
    try {
      await cancelScope(async (inner) => {
        setImmediate(() => {
          inner.cancel();
          outer.cancel();
        });
        await part(log, "inner", 3);
      });
      log("not reached");
    } catch (error) {
      log(`outer sees ${nameOf(error)}, ours: ${isCancelled(error)}`);
      throw error;
    }
  });
}

export async function frameInTwoScopes(log: Log): Promise<void> {
  let shared: Promise<string> | undefined;
  await cancelScope(async () => {
    await cancelScope(async (inner) => {
      setImmediate(() => inner.cancel());
      shared = part(log, "of the inner scope", 2);
      await shared;
    });
    try {
      await shared;
    } catch (error) {
      log(`the outer scope sees ${nameOf(error)}, ours: ${isCancelled(error)}`);
    }
  });
}

export async function groupOfForeignWaits(log: Log): Promise<void> {
  await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    try {
      await taskGroup(async (group) => {
        group.createTask(() => part(log, "first task", 2), { name: "first" });
        group.createTask(() => part(log, "second task", 1), { name: "second" });
        await part(log, "body", 1);
      });
    } finally {
      log("the group ends");
    }
  });
}

export async function failingChildOfGroup(log: Log): Promise<void> {
  try {
    await taskGroup(async (group) => {
      group.createTask(() => part(log, "first task", 2));
      group.createTask(async () => {
        await turns(1);
        throw new RangeError("second task");
      });
      await part(log, "body", 3);
    });
  } catch (error) {
    log(nameOf(error));
  }
}

export async function timeoutOfForeignWait(log: Log): Promise<void> {
  try {
    await timeout(1, () => part(log, "body"));
  } catch (error) {
    log(`${nameOf(error)}, ours: ${isCancelled(error)}`);
  }
  log(`moves on with ${await moveOnAfter(1, () => part(log, "body"))}`);
}

export async function shieldBelow(log: Log): Promise<void> {
  await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    const save = async (): Promise<string> => {
      await turns(2);
      await sleep(1);
      return "saved";
    };
    const saves = async (): Promise<void> => {
      log(await shield(save));
      await turns(0);
      log("not reached");
    };
    try {
      await Promise.all([saves(), part(log, "a", 1)]);
    } finally {
      log("parent ends");
    }
  });
}

export async function leftWhenAllHaveEnded(log: Log): Promise<void> {
  await cancelScope((scope) => {
    setImmediate(() => scope.cancel());
    return Promise.race([part(log, "a", 1), part(log, "b", 3)]);
  });
  log("the scope is left");
}

export async function taskEndsWhenAllHaveEnded(log: Log): Promise<void> {
  await taskGroup(async (group) => {
    const cancelled = group.createTask(() => Promise.race([part(log, "a", 1), part(log, "b", 3)]));
    await turns(1);
    cancelled.cancel();
    try {
      await cancelled;
    } catch (error) {
      log(nameOf(error));
    }
    const succeeds = group.createTask((): Promise<unknown> => {
      const running = part(log, "c", 3);
      return Promise.race([running, turns(1).then(() => "value")]);
    });
    succeeds.cancel();
    await turns(5);
    log(`done: ${succeeds.done}`);
  });
  log("the group is left");
}

/** Not given as literals: nobody waits for what they return but their owners. */
export async function ownersWaitForTheirCode(log: Log): Promise<void> {
  const job = (): Promise<string> => Promise.race([part(log, "a", 1), part(log, "b", 3)]);
  const body = (group: TaskGroup): Promise<string> => {
    setImmediate(() => group.cancel());
    return Promise.race([part(log, "c", 1), part(log, "d", 3)]);
  };
  await taskGroup(async (group) => {
    const task = group.createTask(job);
    await turns(1);
    task.cancel();
  });
  log("the task has ended");
  await taskGroup(body);
  log("the group is left");
}

/** Who gave the function away has ended when it is called: then it belongs to the caller, which is in no cleanup. */
export async function givenAwayByOneThatHasEnded(log: Log): Promise<void> {
  const later = async (): Promise<void> => {
    await turns(1);
    log("called later");
  };
  const gives = async (): Promise<void> => {
    await turns(1);
    callLater(later).catch(String);
    callLater(async () => {
      await turns(2);
      log("called later, too");
    }).catch(String);
  };
  await gives();
  await turns(6);
}

export async function groupIsLeftWhenAllHaveEnded(log: Log): Promise<void> {
  await taskGroup((group) => {
    setImmediate(() => group.cancel());
    return Promise.race([part(log, "a", 1), part(log, "b", 3)]);
  });
  log("the group is left");
}
