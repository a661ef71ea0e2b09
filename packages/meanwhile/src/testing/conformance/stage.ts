// Where the rules of the conformance kits are played: callers that can be watched and cancelled one by one.

import { TestError } from "../../errors.ts";
import { isCancelled } from "../../flow/cancellation-checks.ts";
import { gather } from "../../flow/gather.ts";
import {
  cancelScope,
  type CancelScope,
  currentScopeNode,
  taskGroup,
  type TaskGroup,
  type TaskNode,
} from "../../lowlevel.ts";
import { Event } from "../../sync/event.ts";
import { shield } from "../../time/timeouts.ts";
import { show } from "../../util/show.ts";
import { isStuck, QuietWatch, STUCK } from "../quiet.ts";

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
  #task: TaskNode | null = null;
  #isGivenBack = false;
  readonly #call: () => T | PromiseLike<T>;

  constructor(call: () => T | PromiseLike<T>) {
    this.#call = call;
  }

  /** Makes the call, and keeps what it has returned until `end`. */
  async runUntil(end: Event): Promise<void> {
    this.#task = currentScopeNode().task;
    try {
      await this.#run();
      await end.wait(); // who holds something may be known by its task
    } finally {
      this.giveBack();
    }
  }

  /** Gives back what the call has returned, if it was not given back before. */
  giveBack(): void {
    if (this.fate.kind !== "got" || this.#isGivenBack) return;
    this.#isGivenBack = true;
    if (isDisposable(this.fate.value)) this.fate.value[Symbol.dispose]();
  }

  /** Whether the call goes on waiting although it was cancelled, and nobody will end it. */
  get isStuck(): boolean {
    return this.fate.kind === "waits" && isStuck(this.#task);
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
    this.#scope?.cancel("a rule of the kit cancels this call while it waits");
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
  /** Tells when nothing moves. */
  readonly quiet: QuietWatch;
  readonly #end = new Event();
  readonly #callers: Caller<unknown>[] = [];
  readonly #beside: Promise<unknown>[] = [];
  readonly #abandoned = Promise.withResolvers<void>();
  /** Called whenever nothing moves. */
  onSettled: (() => void) | null = null;

  constructor(group: TaskGroup, quiet: QuietWatch) {
    this.#group = group;
    this.quiet = quiet;
  }

  /** Lets somebody make a call, in a task that lives on until the rule has been checked, and waits until it has ended or waits. */
  async call<T>(call: () => T | PromiseLike<T>): Promise<Caller<T>> {
    const caller = new Caller(call);
    this.#group.createTask(() => this.#letRun(caller));
    await this.settle();
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
    this.#beside.push(gather([() => this.#letRun(caller)]));
    return caller;
  }

  // A call that does not end when it is cancelled is left behind: the rule is broken then, and has to say so.
  async #letRun(caller: Caller<unknown>): Promise<void> {
    this.#callers.push(caller);
    await Promise.race([caller.runUntil(this.#end), this.#abandoned.promise]);
  }

  /** Waits until nothing moves. */
  async settle(): Promise<void> {
    await this.quiet.settle();
    this.onSettled?.();
  }

  /** Ends what still waits; fails if that does not end. */
  async close(): Promise<void> {
    this.#group.cancel("the kit ends what still waits after a rule");
    const beside = Promise.allSettled(this.#beside);
    await shield(() => this.settle());
    const stuck = this.#callers.filter((caller) => caller.isStuck);
    this.#abandoned.resolve();
    await beside;
    expect(stuck.length === 0, `a call does not end: ${STUCK}`);
  }
}

/** Plays a rule on a stage of its own; see {@link QuietWatch} for `usual`. */
export async function onStage(rule: (stage: Stage) => Promise<void>, usual: readonly string[] | null): Promise<void> {
  let broken: { readonly error: unknown } | null = null;
  using quiet = new QuietWatch(usual);
  await taskGroup(async (group) => {
    const stage = new Stage(group, quiet);
    try {
      await rule(stage);
    } catch (error) {
      broken = { error };
    }
    try {
      await stage.close();
    } catch (error) {
      broken ??= { error };
    }
  });
  // Not from within the group, which would wrap it.
  rethrow(broken);
}

function rethrow(broken: { readonly error: unknown } | null): void {
  if (broken !== null) throw broken.error;
}
