// Statements that run jobs: combinators, groups, background tasks.

import {
  any,
  asCompleted,
  coroutine,
  type CancelScope,
  createTask,
  currentTask,
  fixed,
  forEach,
  gather,
  gatherSettled,
  map,
  now,
  race,
  retry,
  shield,
  sleep,
  type Task,
  taskGroup,
  TaskGroupError,
  wait,
} from "meanwhile";
import { cancellationOf, currentScopeNode } from "meanwhile/lowlevel";

import { Family } from "./ledger.ts";
import type { Handlers, JobOptions, Machine, OpenGroup, Step } from "./machine.ts";

/** One job for each body. */
function jobsOf({ machine, around, bodies }: Step, family: Family, options: Partial<JobOptions>) {
  return bodies.map((body, place) => machine.job(body, place, { family, around, ...options }));
}

/** For jobs whose failure is a result, and not an error, unless the call is being cancelled: told in the job. */
function tellsFailures({ ledger }: Machine): (error: unknown) => void {
  return (error) => {
    if (currentScopeNode().parent?.effective === null) ledger.told(error);
  };
}

function limitOf(number: number): number {
  return number === 0 ? Infinity : number;
}

async function raceOf(step: Step): Promise<void> {
  const { machine, number } = step;
  const family = new Family(machine.ledger, "race");
  await firstOf(step, "race", family, () => race(jobsOf(step, family, { lazy: number(0) === 1 })));
}

async function anyOf(step: Step): Promise<void> {
  const { machine, number } = step;
  const family = new Family(machine.ledger, "any");
  const tell = tellsFailures(machine);
  // Those before the first success do not matter if the call returns that.
  const failures: unknown[] = [];
  let isWon = false;
  const onError = (error: unknown): void => {
    tell(error);
    if (!isWon) failures.push(error);
  };
  const onValue = (): void => void (isWon = true);
  await firstOf(step, "any", family, () => any(jobsOf(step, family, { lazy: number(0) === 1, onError, onValue })));
  for (const failure of failures) machine.ledger.told(failure);
}

async function firstOf(
  { machine, bodies }: Step,
  call: string,
  family: Family,
  go: () => Promise<number>,
): Promise<void> {
  const winner = await machine.together(call, family, go);
  if (bodies[winner] === undefined) machine.ledger.violated(`${call} was won by job ${winner}`);
}

/** Items of a loop. */
function source({ machine }: Step, count: number, stream: boolean): Iterable<number> | AsyncIterable<number> {
  const { ledger } = machine;
  if (!stream) return Array.from({ length: count }, (_, item) => item);
  return (async function* items() {
    const block = ledger.enter();
    try {
      for (let item = 0; item < count; item++) {
        await machine.perform("sleep of a source", () => sleep(1), "time");
        yield item;
      }
    } finally {
      ledger.leave(block);
    }
  })();
}

function inOrder(items: readonly number[]): boolean {
  return items.every((item, place) => item === place);
}

/** The group a statement means, and nothing where there is none. */
function groupOf({ around, number }: Step): OpenGroup | undefined {
  const { groups } = around;
  return groups[groups.length - 1 - (number(0) % Math.max(1, groups.length))];
}

function taskOf({ machine, number }: Step): Task<unknown> | undefined {
  const { tasks } = machine;
  return tasks[number(0) % Math.max(1, tasks.length)];
}

const UNTIL = ["all", "first", "firstError"] as const;

/** Takes the error of a task that has ended. */
async function outcomeOf(task: Task<unknown>, { ledger }: Machine): Promise<void> {
  try {
    await shield(() => task);
  } catch (error) {
    ledger.told(error);
  }
}

/** Statements of this file. */
export const FLOW: Handlers<
  | "gather"
  | "gatherSettled"
  | "race"
  | "any"
  | "forEach"
  | "map"
  | "asCompleted"
  | "retry"
  | "coroutine"
  | "group"
  | "spawn"
  | "start"
  | "background"
  | "awaitTask"
  | "wait"
  | "cancelTask"
> = {
  async gather(step) {
    const { machine, number } = step;
    const concurrency = limitOf(number(0));
    const family = new Family(machine.ledger, "gather", concurrency);
    const places = await machine.together("gather", family, () =>
      gather(jobsOf(step, family, { lazy: number(1) === 1 }), { concurrency }),
    );
    if (places.length !== step.bodies.length || !inOrder(places))
      machine.ledger.violated(`gather gave ${places.join()}`);
  },

  async gatherSettled(step) {
    const { machine, number } = step;
    const concurrency = limitOf(number(0));
    const family = new Family(machine.ledger, "gatherSettled", concurrency);
    const settled = await machine.together("gatherSettled", family, () =>
      gatherSettled(jobsOf(step, family, { lazy: number(1) === 1, onError: tellsFailures(machine) }), { concurrency }),
    );
    settled.forEach((each, place) => {
      if (each.status === "rejected") machine.ledger.told(each.reason);
      else if (each.value !== place) machine.ledger.violated(`gatherSettled gave ${each.value} for job ${place}`);
    });
  },

  race: raceOf,

  any: anyOf,

  async forEach(step) {
    const { machine, around, number, body } = step;
    const [items, concurrency] = [number(0), number(1) + 1];
    // One more for the source, which is no job.
    const family = new Family(machine.ledger, "forEach", concurrency);
    await machine.together("forEach", family, () =>
      forEach(
        source(step, items, number(2) === 1),
        (item) => asFunction(machine.job(body(0), item, { family, around })),
        { concurrency },
      ),
    );
    if (family.started !== items) machine.ledger.violated(`forEach called its function ${family.started} times`);
  },

  async map(step) {
    const { machine, around, number, body } = step;
    const [items, concurrency, ordered, take] = [number(0), number(1) + 1, number(3) === 0, number(4)];
    const family = new Family(machine.ledger, "map", concurrency);
    const fn = (item: number) => asFunction(machine.job(body(0), item, { family, around }));
    const results: number[] = [];
    await machine.together("map", family, async () => {
      for await (const result of map(source(step, items, number(2) === 1), fn, { concurrency, ordered })) {
        results.push(result);
        if (results.length === take) break;
      }
    });
    const expected = take > 0 && take < items ? take : items;
    const isRight = results.length === expected && (ordered ? inOrder(results) : new Set(results).size === expected);
    if (!isRight) machine.ledger.violated(`map gave ${results.join()}`);
  },

  async asCompleted(step) {
    const { machine, number, bodies } = step;
    const [concurrency, take] = [limitOf(number(0)), number(2)];
    const family = new Family(machine.ledger, "asCompleted", concurrency);
    const places: number[] = [];
    await machine.together("asCompleted", family, async () => {
      const jobs = jobsOf(step, family, { lazy: number(1) === 1 });
      for await (const place of asCompleted(jobs, { concurrency })) {
        places.push(place);
        if (places.length === take) break;
      }
    });
    const expected = take > 0 && take < bodies.length ? take : bodies.length;
    if (new Set(places).size !== expected) machine.ledger.violated(`asCompleted gave ${places.join()}`);
  },

  async retry(step) {
    const { machine, around, number, body } = step;
    const attempts = 1 + number(0);
    const family = new Family(machine.ledger, "retry", 1);
    await machine.together("retry", family, () =>
      retry(() => asFunction(machine.job(body(0), 0, { family, around })), {
        attempts,
        backoff: fixed(number(1)),
        attemptTimeoutMs: number(2) === 0 ? undefined : number(2),
        onRetry: ({ error }) => machine.ledger.told(error),
      }),
    );
    if (family.started > attempts) machine.ledger.violated(`retry tried ${family.started} times`);
  },

  async coroutine({ machine, around, number, body }) {
    const family = new Family(machine.ledger, "coroutine", 1);
    const times = 1 + number(0);
    const call = coroutine(() => asFunction(machine.job(body(0), 0, { family, around })))();
    if (number(1) === 1) {
      await machine.together("gather of a coroutine", family, () => gather(Array.from({ length: times }, () => call)));
    } else for (let i = 0; i < times; i++) await call;
    family.over();
    if (family.started !== 1) machine.ledger.violated(`a coroutine ran ${family.started} times`);
  },

  async group({ machine, around, body, bodies }) {
    const family = new Family(machine.ledger, "taskGroup");
    try {
      await taskGroup(async (group) => {
        const scopes: readonly CancelScope[] = [...around.scopes, group.scope];
        const inside: { scopes: typeof scopes; groups: readonly OpenGroup[] } = { scopes, groups: around.groups };
        inside.groups = [...around.groups, { group, family, around: inside }];
        for (const each of bodies.slice(1)) {
          machine.addTask(group.createTask(machine.job(each, 0, { family, around: inside })));
        }
        await machine.run(body(0), inside);
      });
    } catch (error) {
      if (!(error instanceof TaskGroupError) && cancellationOf(error) === null) {
        machine.ledger.violated(`a group threw ${String(error)}`);
      }
      throw error;
    } finally {
      family.over();
    }
  },

  async spawn(step) {
    const { machine, body } = step;
    const open = groupOf(step);
    if (open === undefined) return;
    machine.addTask(open.group.createTask(machine.job(body(0), 0, open)));
  },

  async start(step) {
    const { machine, body } = step;
    const open = groupOf(step);
    if (open === undefined) return;
    const wasCancelled = machine.ledger.isCancelledHere();
    let job: "waiting" | "starting" | "started" | "ended" = "waiting";
    let value: number | null = null;
    try {
      value = await machine.perform("group.start", () =>
        open.group.start<number>(async (started) => {
          job = "starting";
          machine.addTask(currentTask());
          open.family.begin();
          try {
            await machine.run(body(0), open.around);
            job = "started";
            started(7);
            await machine.run(body(1), open.around);
          } finally {
            job = "ended";
            open.family.end();
          }
        }),
      );
    } finally {
      const isOwn = value === null && job !== "waiting" && job !== "ended";
      if (isOwn) machine.ledger.violated("group.start threw before its job had ended");
      if (wasCancelled && job !== "waiting") machine.ledger.violated("group.start started a job in a cancelled scope");
    }
    if (value !== 7) machine.ledger.violated(`group.start gave ${value}`);
  },

  async background({ machine, around, body }) {
    const family = new Family(machine.ledger, "a background task");
    {
      await using task = createTask(machine.job(body(0), 0, { family, around }));
      machine.addTask(task);
      await machine.run(body(1), around);
    }
    family.over();
  },

  async awaitTask(step) {
    const { machine } = step;
    const task = taskOf(step);
    if (task === undefined || task === currentTask()) return;
    await machine.perform("await of a task", () => task);
  },

  async wait({ machine, number }) {
    const self = currentTask();
    const tasks = new Set(machine.tasks.filter((task) => task !== self).slice(-1 - number(2)));
    if (tasks.size === 0) return;
    const until = UNTIL[number(0)] ?? "all";
    const deadline = now() + number(1);
    const { done, pending } = await machine.perform("wait", () => wait(tasks, { until, timeoutMs: number(1) }));
    // What was waited for is looked at, as it is its reader's now.
    for (const task of done) await outcomeOf(task, machine);
    const isRight = until === "all" ? pending.length === 0 : done.length > 0;
    if (!isRight && now() < deadline) machine.ledger.violated(`wait ended ${deadline - now()} ms early`);
    if (done.length + pending.length !== tasks.size) machine.ledger.violated("wait lost a task");
  },

  async cancelTask(step) {
    taskOf(step)?.cancel("the program says so");
    step.machine.ledger.isCancelledHere();
  },
};

/** Jobs that are not coroutines are functions. */
function asFunction(job: unknown): Promise<number> {
  return (job as () => Promise<number>)();
}
