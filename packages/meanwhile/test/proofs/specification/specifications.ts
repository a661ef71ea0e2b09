// Every primitive beside its model, and beside a wrong one.

import {
  Barrier,
  BoundedSemaphore,
  CapacityLimiter,
  Condition,
  Event,
  LifoQueue,
  Lock,
  type Permit,
  PriorityQueue,
  type Queue,
  Queue as FifoQueue,
  RateLimiter,
  Semaphore,
} from "meanwhile";
import { currentScopeNode } from "meanwhile/lowlevel";
import type { MockClock, SequentialSpec } from "meanwhile/testing";

import {
  type BarrierOp,
  type ConditionOp,
  type EventOp,
  flag,
  guarded,
  meeting,
  rate,
  type RateOp,
} from "./meeting-models.ts";
import { HELD, newest, type PermitOp, permits, type TokenOp, tokens } from "./permit-models.ts";
import { fifo, lifo, queueOf, type QueueOp, smallest } from "./queue-model.ts";
import { inTwoSteps, type ThingModel } from "./two-steps.ts";

/** What is compared with what. */
export interface Specification {
  readonly right: SequentialSpec<unknown, unknown, unknown>;
  /** The same, with a mistake in the model or in the primitive. */
  readonly wrong: SequentialSpec<unknown, unknown, unknown>;
  /** The mistake. */
  readonly mistake: string;
  /** How many steps an actor makes; a step that asks takes what has come of the one before. Default: 5. */
  readonly steps?: number;
}

/** Permits of each actor. */
class Held {
  readonly #held = new Map<number, Permit[]>();

  take(actor: number, permit: Permit | undefined): string | undefined {
    if (permit === undefined) return undefined;
    this.#held.set(actor, [...(this.#held.get(actor) ?? []), permit]);
    return HELD;
  }

  has(actor: number): boolean {
    return (this.#held.get(actor) ?? []).length > 0;
  }

  release(actor: number): string | undefined {
    const permit = this.#held.get(actor)?.pop();
    permit?.release();
    return permit === undefined ? "none" : undefined;
  }
}

/** Compares a primitive with whatever model it is given. */
type Comparer<Op> = <State>(model: ThingModel<State, Op>) => SequentialSpec<unknown, unknown, unknown>;

function isolated<Thing, Op>(
  create: () => Thing,
  ops: readonly Op[],
  make: (thing: Thing, op: Op, actor: number, held: Held) => unknown,
  endsWhenMade?: (op: Op) => boolean,
): Comparer<Op> {
  return <State>(model: ThingModel<State, Op>) =>
    inTwoSteps<{ readonly thing: Thing; readonly held: Held }, State, Op>({
      create: () => ({ thing: create(), held: new Held() }),
      ops,
      make: ({ thing, held }, op, actor) => make(thing, op, actor, held),
      endsWhenMade,
      model,
    }) as SequentialSpec<unknown, unknown, unknown>;
}

type Acquirable = Pick<Lock, "acquire" | "tryAcquire">;

async function makePermitOp(thing: Acquirable, op: PermitOp, actor: number, held: Held): Promise<unknown> {
  if (op === "acquire") return held.take(actor, await thing.acquire());
  if (op === "tryAcquire") return held.take(actor, thing.tryAcquire());
  if (op === "release") return held.release(actor);
  const semaphore = thing as Semaphore;
  return op === "free" ? semaphore.freePermits : semaphore.release();
}

const LOCK_OPS = ["acquire", "acquire", "tryAcquire", "release", "release"] as const;
const SEMAPHORE_OPS = [...LOCK_OPS, "add", "free"] as const;

function lockLike(create: () => Acquirable, ops: readonly PermitOp[]): Comparer<PermitOp> {
  return isolated(create, ops, makePermitOp);
}

const lock = lockLike(() => new Lock(), LOCK_OPS);
const semaphore = lockLike(() => new Semaphore(2), SEMAPHORE_OPS);
const bounded = lockLike(() => new BoundedSemaphore(2), SEMAPHORE_OPS);

const TOKEN_OPS: readonly TokenOp[] = ["acquire", "acquire", "tryAcquire", "release", "available", 0, 1, 2];

const limiter = isolated(
  () => new CapacityLimiter(1),
  TOKEN_OPS,
  async (thing, op, actor, held) => {
    const onBehalfOf = `actor ${actor}`;
    if (op === "acquire") return held.take(actor, await thing.acquire({ onBehalfOf }));
    if (op === "tryAcquire") return held.take(actor, thing.tryAcquire({ onBehalfOf }));
    if (op === "release") return held.release(actor);
    if (op === "available") return thing.availableTokens;
    thing.totalTokens = op;
    return undefined;
  },
);

const QUEUE_OPS: readonly QueueOp[] = [
  1,
  2,
  3,
  { try: 4 },
  "get",
  "get",
  "get",
  "tryGet",
  "close",
  "drop",
  "done",
  "join",
  "size",
];

function makeQueueOp(queue: Queue<number>, op: QueueOp): unknown {
  if (typeof op === "number") return queue.put(op);
  if (typeof op === "object") return queue.tryPut(op.try);
  switch (op) {
    case "get":
      return queue.get();
    case "tryGet":
      return queue.tryGet();
    case "close":
      return queue.close();
    case "drop":
      return queue.close({ immediate: true });
    case "done":
      return queue.taskDone();
    case "join":
      return queue.join();
    case "size":
      return queue.size;
    default:
      throw new Error(`no such call: ${String(op satisfies never)}`);
  }
}

function queueLike(create: () => Queue<number>): Comparer<QueueOp> {
  return isolated(create, QUEUE_OPS, async (thing, op) => makeQueueOp(thing, op));
}

const queue = queueLike(() => new FifoQueue({ maxSize: 2 }));
const tightQueue = queueLike(() => new FifoQueue({ maxSize: 1 }));
const priorityQueue = queueLike(() => new PriorityQueue({ maxSize: 3 }));
const lifoQueue = queueLike(() => new LifoQueue({ maxSize: 2 }));

const EVENT_OPS = ["wait", "wait", "set", "clear", "isSet"] as const;

function eventLike(create: () => Pick<Event, EventOp>): Comparer<EventOp> {
  return isolated(create, EVENT_OPS as readonly EventOp[], (event, op) => (op === "isSet" ? event.isSet : event[op]()));
}

/** Looks again when it goes on, and waits again if the flag is unset by then. */
class ForgetfulEvent extends Event {
  override async wait(): Promise<void> {
    do await super.wait();
    while (!this.isSet);
  }
}

const barrier = isolated(
  () => new Barrier(2),
  ["wait", "wait", "wait", "abort", "reset", "waiting"] as readonly BarrierOp[],
  (thing, op) => (op === "waiting" ? thing.statistics().tasksWaiting : thing[op]()),
);

async function makeConditionOp(thing: Condition, op: ConditionOp, actor: number, held: Held): Promise<unknown> {
  if (op === "acquire") return held.has(actor) ? HELD : held.take(actor, await thing.acquire());
  if (op === "release") return held.release(actor);
  if (op === "wait") return thing.wait();
  return thing.notify(op === "all" ? Infinity : op);
}

const condition = isolated(
  () => new Condition(),
  ["acquire", "acquire", "acquire", "wait", "wait", "release", 1, "all"] as readonly ConditionOp[],
  makeConditionOp,
);

const LIMIT = 2;
const INTERVAL_MS = 2;

/** A rate limiter on a clock that goes on by one millisecond for one actor after the other. */
class Ticking {
  readonly limiter: RateLimiter = new RateLimiter({ limit: LIMIT, intervalMs: INTERVAL_MS });
  readonly #turn = new Lock();

  async tick(): Promise<number> {
    using turn = await this.#turn.acquire();
    const { clock } = currentScopeNode().runner;
    const before = clock.now();
    // Cancelled or not: once it has begun, the time passes.
    await (clock as MockClock).advance(1);
    void turn;
    return before + 1;
  }
}

const rateLimiter = isolated(
  () => new Ticking(),
  ["acquire", "acquire", "tryAcquire", "tick", "tick", "available"] as readonly RateOp[],
  (thing, op) => {
    if (op === "tick") return thing.tick();
    return op === "available" ? thing.limiter.statistics().available : thing.limiter[op]();
  },
  (op) => op === "tick",
);

/** By the name of the primitive. */
export const SPECIFICATIONS: Readonly<Record<string, Specification>> = {
  Lock: { right: lock(permits(1)), wrong: lock(permits(1, Infinity, newest)), mistake: "the newest is served first" },
  Semaphore: { right: semaphore(permits(2)), wrong: semaphore(permits(3)), mistake: "there is one permit more" },
  BoundedSemaphore: {
    right: bounded(permits(2, 2)),
    wrong: semaphore(permits(2, 2)),
    mistake: "it takes back what nobody has",
  },
  CapacityLimiter: {
    right: limiter(tokens(1)),
    wrong: limiter(tokens(1, false)),
    mistake: "more tokens let nobody in",
  },
  Queue: { right: queue(queueOf(fifo, 2)), wrong: queue(queueOf(lifo, 2)), mistake: "it is last in, first out" },
  "Queue with one place": {
    right: tightQueue(queueOf(fifo, 1)),
    wrong: tightQueue(queueOf(fifo, 2)),
    mistake: "it has a place more",
  },
  PriorityQueue: {
    right: priorityQueue(queueOf(smallest, 3)),
    wrong: priorityQueue(queueOf(fifo, 3)),
    mistake: "it looks at no priority",
  },
  LifoQueue: {
    right: lifoQueue(queueOf(lifo, 2)),
    wrong: lifoQueue(queueOf(smallest, 2)),
    mistake: "it looks at a priority",
  },
  Event: {
    right: eventLike(() => new Event())(flag),
    wrong: eventLike(() => new ForgetfulEvent())(flag),
    mistake: "who was woken waits again if it is cleared",
  },
  Barrier: { right: barrier(meeting(2)), wrong: barrier(meeting(3)), mistake: "it waits for one more" },
  Condition: {
    right: condition(guarded()),
    wrong: condition(guarded(newest)),
    mistake: "the newest is notified first",
    steps: 7, // two have to wait before one is notified, each with the lock
  },
  RateLimiter: {
    right: rateLimiter(rate(LIMIT, INTERVAL_MS)),
    wrong: rateLimiter(rate(LIMIT, INTERVAL_MS + 1)),
    mistake: "the interval is longer",
  },
};
