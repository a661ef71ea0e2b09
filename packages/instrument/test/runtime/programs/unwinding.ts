import { Event, isCancelled, shield, timeout } from "meanwhile";
import pLimit from "p-limit";
import pMap from "p-map";

import {
  afterTurn,
  callLater,
  callRegistered,
  type Log,
  nameOf,
  never,
  register,
  settleInOrder,
  turns,
} from "./foreign.ts";

async function part(log: Log, name: string, cleanupTurns = 1): Promise<string> {
  log(`${name} begins`);
  try {
    await never();
  } finally {
    log(`${name} cleans up`);
    await turns(cleanupTurns);
    log(`${name} has cleaned up`);
  }
  return name;
}

async function within(log: Log, name: string, body: () => Promise<unknown>): Promise<void> {
  try {
    await body();
    log(`${name} goes on`);
  } catch (error) {
    log(`${name} sees ${nameOf(error)}, ours: ${isCancelled(error)}`);
    throw error;
  } finally {
    log(`${name} ends`);
  }
}

export function threeLevels(log: Log): Promise<void> {
  return within(log, "grandparent", () => within(log, "parent", () => part(log, "child", 2)));
}

export function overAll(log: Log): Promise<void> {
  return within(log, "parent", () => Promise.all([part(log, "a", 3), part(log, "b", 1)]));
}

export function overRace(log: Log): Promise<void> {
  return within(log, "parent", () => Promise.race([part(log, "a", 1), part(log, "b", 3)]));
}

export function overAny(log: Log): Promise<void> {
  return within(log, "parent", () => Promise.any([part(log, "a", 1), part(log, "b", 3)]));
}

export function overAllSettled(log: Log): Promise<void> {
  return within(log, "parent", () => Promise.allSettled([part(log, "a", 1), part(log, "b", 3)]));
}

export function overHandWritten(log: Log): Promise<void> {
  return within(log, "parent", () => settleInOrder([part(log, "a", 3), part(log, "b", 1)]));
}

async function mapped(log: Log): Promise<void> {
  await pMap(["a", "b", "c"], (name) => part(log, name, 2), { concurrency: 2 });
}

export function overPMap(log: Log): Promise<void> {
  return within(log, "parent", () => mapped(log));
}

async function limited(log: Log): Promise<void> {
  const limit = pLimit(2);
  await Promise.all(["a", "b", "c"].map((name) => limit(part, log, name, 2)));
}

export function overPLimit(log: Log): Promise<void> {
  return within(log, "parent", () => limited(log));
}

export async function overLater(log: Log): Promise<void> {
  const a = part(log, "a", 3);
  const b = part(log, "b", 1);
  try {
    await never();
  } finally {
    log("parent ends");
  }
  await a;
  await b;
}

export async function overOwnWait(log: Log): Promise<void> {
  const a = part(log, "a", 3);
  try {
    await new Event().wait();
  } finally {
    log("parent ends");
  }
  await a;
}

async function calledBack(log: Log): Promise<unknown> {
  return await callLater(() => part(log, "called back", 2));
}

export function overCallback(log: Log): Promise<void> {
  return within(log, "parent", () => calledBack(log));
}

export async function withValueOnItsWay(log: Log, { promise }: { readonly promise: Promise<string> }): Promise<void> {
  try {
    log(await promise);
    log(await turns(0).then(() => "not seen"));
  } finally {
    log("ends");
  }
}

export async function withValueDuringCleanup(log: Log): Promise<void> {
  const value = Promise.withResolvers<string>();
  const child = async (): Promise<void> => {
    try {
      await never();
    } finally {
      await turns(1);
      value.resolve("from the cleanup");
      log("child ends");
    }
  };
  const running = child();
  try {
    log(await value.promise);
    await running;
  } finally {
    log("parent ends");
  }
}

export async function overShield(log: Log): Promise<void> {
  const protectedPart = async (): Promise<void> => {
    await turns(2);
    log("shielded part ends");
  };
  await within(log, "parent", () => Promise.all([part(log, "a", 1), shield(protectedPart)]));
}

export async function overForeignThatOpensScope(log: Log): Promise<void> {
  const slow = async (): Promise<void> => {
    try {
      await never();
    } finally {
      await turns(2);
      log("body of the timeout ends");
    }
  };
  const body = (): Promise<unknown> => afterTurn(() => timeout(1_000_000, slow));
  try {
    await body();
  } finally {
    log("parent ends");
  }
}

const registered: { log: Log } = { log: () => {} };
register(() => part(registered.log, "a", 1));
register(() => part(registered.log, "b", 3));

export async function overRegistered(log: Log): Promise<void> {
  registered.log = log;
  await within(log, "parent", () => Promise.race([callRegistered(), callRegistered()]));
}

export async function overFunctionInBlock(log: Log): Promise<void> {
  // A function that may be changed by eval has to stay where it is.
  function child(): Promise<string> {
    return part(log, "child", 1);
  }
  try {
    await child();
  } finally {
    log("parent ends");
  }
}

export async function withOrphans(log: Log): Promise<void> {
  const starts = async (): Promise<void> => {
    void part(log, "orphan", 2);
    await turns(0);
    log("its parent returns");
  };
  try {
    await starts();
    await never();
  } finally {
    log("grandparent ends");
  }
}
