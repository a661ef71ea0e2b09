// Calls that wait, as two steps each: one that asks, and one that takes what has come of it. What happens in a step happens at
// once, so that a model of a primitive can say exactly who is served, in which order, and who has left the line.

import { cancelScope, type CancelScope, isCancelled, shield, sleep } from "meanwhile";
import { type Scope, suspend, Waiter } from "meanwhile/lowlevel";
import type { SequentialSpec } from "meanwhile/testing";

/** Says what a call of an actor has come to: a JSON value. */
export type End = (actor: number, result: unknown) => void;

/** A primitive in which everything happens at once. It changes its state, which is JSON, as it likes. */
export interface ThingModel<State, Op> {
  readonly initial: State;
  /** An actor, of whom no call is under way, makes a call. It waits if `end` is not called for the actor. */
  readonly ask: (state: State, op: Op, actor: number, end: End) => void;
  /** The call of an actor that waits is cancelled. */
  readonly withdraw: (state: State, actor: number, end: End) => void;
}

/** What there is to compare: a primitive, the calls of it, and its model. */
export interface Comparison<Thing, State, Op> {
  readonly create: () => Thing;
  readonly ops: readonly Op[];
  /** Makes a call, in an actor; what it returns is JSON, or undefined. */
  readonly make: (thing: Thing, op: Op, actor: number) => unknown;
  readonly model: ThingModel<State, Op>;
}

/** A step of an actor. Only one call of each can be under way. */
type Step<Op> = { readonly ask: Op } | "take" | "cancel";

/** Beside each step that asks there are so many that take, and that cancel, in so many. */
const TAKES = 1;
const CANCELS_IN = 3;

/** A call that was asked for. */
class Asked {
  outcome: { readonly result: unknown } | null = null;
  scope: CancelScope | null = null;
  readonly takers: Set<Waiter<void>> = new Set();

  /** Whether the call has been made: it waits in line, or has ended. Until then it may have given the event loop a turn. */
  get isMade(): boolean {
    if (this.outcome !== null) return true;
    const members = (this.scope as Scope | null)?.members() ?? [];
    return members.some((member) => member instanceof Waiter && member.target.foreign !== true);
  }

  end(result: unknown): void {
    this.outcome = { result: result ?? null };
    for (const taker of this.takers) taker.wake();
  }
}

/** A primitive with its actors. */
class Stage<Thing, Op> {
  readonly #thing: Thing;
  readonly #make: (thing: Thing, op: Op, actor: number) => unknown;
  readonly #asked = new Map<number, Asked>();

  constructor({ create, make }: Pick<Comparison<Thing, unknown, Op>, "create" | "make">) {
    this.#thing = create();
    this.#make = make;
  }

  perform(step: Step<Op>, actor: number): unknown {
    if (step === "take") return this.#take(actor);
    if (step === "cancel") return this.#cancel(actor);
    // Not to be cancelled: what was asked cannot be asked back.
    return shield(() => this.#ask(step.ask, actor));
  }

  async #ask(op: Op, actor: number): Promise<string> {
    if (this.#asked.has(actor)) return "busy";
    const asked = new Asked();
    this.#asked.set(actor, asked);
    // Not awaited here: it lives on when this step has ended, and is not cancelled with it.
    const ended = shield(() => cancelScope((scope) => this.#run(op, actor, asked, scope)));
    ended.catch((error: unknown) => asked.end(String(error)));
    while (!asked.isMade) await sleep(0);
    return "asked";
  }

  async #run(op: Op, actor: number, asked: Asked, scope: CancelScope): Promise<void> {
    asked.scope = scope;
    try {
      asked.end(await this.#make(this.#thing, op, actor));
    } catch (error) {
      asked.end(isCancelled(error) ? "cancelled" : ((error as { code?: string }).code ?? String(error)));
    }
  }

  #cancel(actor: number): string {
    const asked = this.#asked.get(actor);
    asked?.scope?.cancel("the actor says so");
    return asked === undefined ? "nothing" : "told";
  }

  async #take(actor: number): Promise<unknown> {
    const asked = this.#asked.get(actor);
    if (asked === undefined) return "nothing";
    if (asked.outcome === null) await this.#ended(asked);
    this.#asked.delete(actor);
    return asked.outcome?.result;
  }

  #ended(asked: Asked): Promise<void> {
    return suspend<void>(
      (waiter) => {
        asked.takers.add(waiter);
        return () => void asked.takers.delete(waiter);
      },
      { describe: () => "the end of what was asked" },
    );
  }
}

interface TwoStepState<State> {
  readonly thing: State;
  /** By actor: nothing, what waits, or what has come of it. */
  readonly asked: Array<null | "waits" | "told" | { readonly result: unknown }>;
}

/** Makes of a comparison what `checkSequentially` takes. */
export function inTwoSteps<Thing, State, Op>(
  comparison: Comparison<Thing, State, Op>,
): SequentialSpec<unknown, TwoStepState<State>, Step<Op>> {
  const { model, ops } = comparison;
  const calls = ops.flatMap((op, i) => [
    { ask: op },
    ...Array.from({ length: TAKES }, () => "take" as const),
    ...(i % CANCELS_IN === 0 ? ["cancel" as const] : []),
  ]);
  return {
    create: () => new Stage<Thing, Op>(comparison),
    calls,
    perform: (stage, step, actor) => (stage as Stage<Thing, Op>).perform(step, actor),
    initial: { thing: model.initial, asked: [] },
    step: (before, step, actor) => {
      const state = JSON.parse(JSON.stringify(before)) as TwoStepState<State>;
      const result = stepOf(model, state, step, actor);
      return result === null ? null : { state, result: result.value };
    },
  };
}

function stepOf<State, Op>(
  { ask, withdraw }: ThingModel<State, Op>,
  { thing, asked }: TwoStepState<State>,
  step: Step<Op>,
  actor: number,
): { readonly value: unknown } | null {
  const now = asked[actor] ?? null;
  const end: End = (whose, result) => (asked[whose] = { result });
  if (step === "take") {
    if (now === null) return { value: "nothing" };
    if (typeof now === "string") return null;
    asked[actor] = null;
    return { value: now.result };
  }
  if (step === "cancel") {
    if (now === null) return { value: "nothing" };
    if (now === "waits") {
      asked[actor] = "told";
      withdraw(thing, actor, end);
    }
    return { value: "told" };
  }
  if (now !== null) return { value: "busy" };
  asked[actor] = "waits";
  ask(thing, step.ask, actor, end);
  return { value: "asked" };
}
