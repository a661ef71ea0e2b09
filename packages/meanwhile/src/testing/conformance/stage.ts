// Where the rules of the conformance kits are played: callers that can be watched and cancelled one by one.

import { TestError } from "../../errors.ts";
import { isCancelled } from "../../flow/cancellation-checks.ts";
import { gather } from "../../flow/gather.ts";
import { cancelScope, type CancelScope, taskGroup, type TaskGroup } from "../../lowlevel.ts";
import { Event } from "../../sync/event.ts";
import { show } from "../../util/show.ts";
import { waitUntilIdle } from "../idle.ts";

/** Says what a rule has found wrong, unless it `holds`. */
export function expect(holds: boolean, wrong: string): asserts holds {
  if (!holds) throw new TestError("MW_ERR_RULE_BROKEN", wrong);
}

type Fate<T> =
  | { readonly kind: "waits" }
  | { readonly kind: "got"; readonly value: T }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: unknown };

/** Somebody who makes one call. */
export class Caller<T> {
  /** How the call has ended, if it has. */
  fate: Fate<T> = { kind: "waits" };
  #scope: CancelScope | null = null;
  readonly #call: () => T | PromiseLike<T>;

  constructor(call: () => T | PromiseLike<T>) {
    this.#call = call;
  }

  /** Makes the call, and keeps what it has returned until `end`. */
  async runUntil(end: Event): Promise<void> {
    try {
      await this.#run();
      await end.wait(); // who holds something may be known by its task
    } finally {
      if (this.fate.kind === "got" && isDisposable(this.fate.value)) this.fate.value[Symbol.dispose]();
    }
  }

  async #run(): Promise<void> {
    await cancelScope(async (scope) => {
      this.#scope = scope;
      try {
        this.fate = { kind: "got", value: await this.#call() };
      } catch (error) {
        this.fate = isCancelled(error) ? { kind: "cancelled" } : { kind: "failed", error };
      }
    });
  }

  /** Cancels the call. */
  cancel(): void {
    this.#scope?.cancel("by a rule");
  }

  /** What the call has returned. */
  get value(): T {
    expect(this.fate.kind === "got", `a call that has to have returned ${describeFate(this.fate)}`);
    return this.fate.value;
  }

  /** Whether the call has returned. */
  get has(): boolean {
    return this.fate.kind === "got";
  }
}

function isDisposable(value: unknown): value is Disposable {
  return typeof value === "object" && value !== null && Symbol.dispose in value;
}

function describeFate(fate: Fate<unknown>): string {
  if (fate.kind !== "failed") return fate.kind;
  return `failed with ${fate.error instanceof Error ? `${fate.error.name}: ${fate.error.message}` : show(fate.error)}`;
}

/** Checks how several calls have ended, in order. */
export function expectFates(
  when: string,
  callers: ReadonlyArray<Caller<unknown>>,
  ...wanted: Fate<unknown>["kind"][]
): void {
  const are = callers.map(({ fate }) => describeFate(fate)).join(", ");
  expect(are === wanted.join(", "), `${when}, the callers have to be [${wanted.join(", ")}], and are [${are}]`);
}

/** Callers in tasks of their own. */
export class Stage {
  readonly #group: TaskGroup;
  readonly #end = new Event();
  readonly #beside: Promise<unknown>[] = [];

  constructor(group: TaskGroup) {
    this.#group = group;
  }

  /** Lets somebody make a call, in a task that lives on until the rule has been checked, and waits until it has ended or waits. */
  async call<T>(call: () => T | PromiseLike<T>): Promise<Caller<T>> {
    const caller = new Caller(call);
    this.#group.createTask(() => caller.runUntil(this.#end));
    await waitUntilIdle();
    return caller;
  }

  /** Like {@link call}, one after the other. */
  async callEach<T>(count: number, call: (index: number) => T | PromiseLike<T>): Promise<Caller<T>[]> {
    const callers: Caller<T>[] = [];
    for (let i = 0; i < count; i++) callers.push(await this.call(() => call(i)));
    return callers;
  }

  /** Lets somebody make a call in this very turn, or, if the schedule says so, in the next. */
  callNow<T>(call: () => T | PromiseLike<T>): Caller<T> {
    const caller = new Caller(call);
    // Unlike a group, gather starts its tasks at once.
    this.#beside.push(gather([() => caller.runUntil(this.#end)]));
    return caller;
  }

  /** Waits until nothing moves. */
  async settle(): Promise<void> {
    await waitUntilIdle();
  }

  /** Ends what still waits. */
  async close(): Promise<void> {
    this.#group.cancel("the rule has been checked");
    await Promise.allSettled(this.#beside);
  }
}

/** Plays a rule on a stage of its own. */
export async function onStage(rule: (stage: Stage) => Promise<void>): Promise<void> {
  let broken: { readonly error: unknown } | null = null;
  await taskGroup(async (group) => {
    const stage = new Stage(group);
    try {
      await rule(stage);
    } catch (error) {
      broken = { error };
    }
    await stage.close();
  });
  // Not from within the group, which would wrap it.
  rethrow(broken);
}

function rethrow(broken: { readonly error: unknown } | null): void {
  if (broken !== null) throw broken.error;
}
