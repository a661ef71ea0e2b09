// Calls that wait, as two steps each: one that asks, and one that takes what has come of it, which is the next step of the
// actor. What happens in a step happens at once, so that a model of a primitive can say exactly who is served, in which order,
// and who has left the line.

import { cancelScope, type CancelScope, isCancelled, shield, sleep } from "meanwhile";
import { CapturedContext, currentScopeNode, type Scope, suspend, type TaskNode, Waiter } from "meanwhile/lowlevel";
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
  /** Whether a call happens only when it ends, and not when it begins to wait. Default: none does. */
  readonly endsWhenMade?: ((op: Op) => boolean) | undefined;
  readonly model: ThingModel<State, Op>;
}

/**
 * A step of an actor. One that asks for a call takes what has come of the one before, if there is one; `take` does only that.
 * Both wait for it.
 */
type Step<Op> = { readonly ask: Op } | "take" | "cancel";

/** One step in so many cancels the call that is under way. */
const CANCELS_IN = 4;

/** A call that was asked for. */
class Asked {
  outcome: { readonly result: unknown } | null = null;
  scope: CancelScope | null = null;
  readonly takers: Set<Waiter<void>> = new Set();
  readonly #endsWhenMade: boolean;

  constructor(endsWhenMade: boolean) {
    this.#endsWhenMade = endsWhenMade;
  }

  /** Whether the call has been made: it waits in line, or has ended. Until then it may have given the event loop a turn. */
  get isMade(): boolean {
    if (this.outcome !== null || this.#endsWhenMade) return this.outcome !== null;
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
  readonly #endsWhenMade: (op: Op) => boolean;
  readonly #asked = new Map<number, Asked>();

  constructor({ create, make, endsWhenMade = () => false }: Omit<Comparison<Thing, unknown, Op>, "model">) {
    this.#thing = create();
    this.#make = make;
    this.#endsWhenMade = endsWhenMade;
  }

  async perform(step: Step<Op>, actor: number): Promise<unknown> {
    if (step === "cancel") return this.#cancel(actor);
    const taken = await this.#take(actor);
    // Not to be cancelled: what was asked cannot be asked back.
    if (step !== "take") await shield(() => this.#ask(step.ask, actor));
    return taken;
  }

  async #ask(op: Op, actor: number): Promise<void> {
    const asked = new Asked(this.#endsWhenMade(op));
    this.#asked.set(actor, asked);
    // Code of the actor's task, but neither awaited here nor cancelled with this step.
    const { task } = currentScopeNode();
    const run = (): void => void cancelScope((scope) => this.#run(op, actor, asked, scope));
    new CapturedContext().runInScope((task as TaskNode).scope, run, undefined);
    while (!asked.isMade) await sleep(0);
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
  const calls: Array<Step<Op>> = ops.map((op) => ({ ask: op }));
  for (let i = 0; i < ops.length; i += CANCELS_IN) calls.push("cancel", "take");
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
  if (step === "cancel") {
    if (now === null) return { value: "nothing" };
    if (now === "waits") {
      asked[actor] = "told";
      withdraw(thing, actor, end);
    }
    return { value: "told" };
  }
  if (typeof now === "string") return null;
  asked[actor] = null;
  if (step !== "take") {
    asked[actor] = "waits";
    ask(thing, step.ask, actor, end);
  }
  return { value: now === null ? "nothing" : now.result };
}
