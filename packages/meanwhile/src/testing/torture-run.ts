// One run of a scenario, with at most one injection: a cancellation or an error at the k-th point.
//
// Points are numbered in the order in which they come. An injection changes nothing before it, so the k-th point of each run
// is that of the first one.

import { addInstrument, type CancelScope, currentScopeNode, enterScope, type Scope } from "../lowlevel.ts";
import { callSite } from "./call-site.ts";
import { Before } from "./leftovers.ts";
import { MockClock } from "./mock-clock.ts";
import { runDirected, type TestOptions } from "./run-test.ts";
import type { Injection, Scenario, ScenarioOutcome, TorturePoint } from "./scenario.ts";
import type { TestDirector } from "./test-director.ts";

const { queueMicrotask } = globalThis;

interface Tortured {
  /** Everything that counts happens in here. */
  readonly region: Scope;
  readonly scope: CancelScope;
  readonly outer: CancelScope;
}

/** Runs a scenario once. */
export class TortureRun {
  readonly #scenario: Scenario<unknown, unknown>;
  readonly #injection: Injection;
  readonly #makeError: () => Error;
  readonly #director: TestDirector;
  // Only while the scenario runs: setup and check are left in peace.
  #tortured: Tortured | null = null;
  #injected: Error | null = null;
  /** The points that were passed, if nothing is injected. */
  readonly points: TorturePoint[] = [];
  /** How many points were passed. */
  passed = 0;
  /** Where the injection was made last. */
  injectedAt: TorturePoint | null = null;

  /** @param makeError - for an injection of an error */
  constructor(
    scenario: Scenario<unknown, unknown>,
    injection: Injection,
    makeError: () => Error,
    director: TestDirector,
  ) {
    this.#scenario = scenario;
    this.#injection = injection;
    this.#makeError = makeError;
    this.#director = director;
    director.atCheckpoint = (scope) => this.#atCheckpoint(scope);
    director.onResume = (scope) => this.#atWakeUp(scope);
  }

  /** Runs it on virtual time; throws what is wrong with what came of it. */
  run(options: TestOptions): Promise<ScenarioOutcome<unknown>> {
    return runDirected(() => this.#setUpRunAndCheck(), options, {
      clock: new MockClock(),
      director: this.#director,
      onEvent: null,
    });
  }

  async #setUpRunAndCheck(): Promise<ScenarioOutcome<unknown>> {
    const { setup, check, signals, expectErrors } = this.#scenario;
    const world = await setup();
    const before = new Before(signals?.(world) ?? []);
    const outcome = await this.#observe(world);
    // The error first: what it has left behind is its consequence.
    if (outcome.kind === "failed" && !this.#isInjected(outcome.error) && expectErrors?.(outcome.error) !== true) {
      throw outcome.error;
    }
    before.refuseLeftovers();
    await check?.(world, outcome, this.#injection);
    return outcome;
  }

  async #observe(world: unknown): Promise<ScenarioOutcome<unknown>> {
    using listening = new DisposableStack();
    listening.use(
      addInstrument({ suspended: ({ scope, target }) => this.#atSuspension(scope, () => target.describe()) }),
    );
    listening.defer(() => (this.#tortured = null));
    try {
      const ending = await enterScope((outer) =>
        enterScope((scope) => {
          this.#tortured = { region: currentScopeNode(), scope, outer };
          return this.#scenario.run(world);
        }),
      );
      const inner = ending.kind === "value" ? ending.value : ending;
      return inner.kind === "value" ? inner : { kind: "cancelled" };
    } catch (error) {
      return { kind: "failed", error };
    }
  }

  #isInjected(error: unknown): boolean {
    return this.#injected !== null && stemsFrom(error, this.#injected);
  }

  #atCheckpoint(scope: Scope): Error | undefined {
    const point = this.#pass("checkpoint", scope, "");
    if (point === null) return undefined;
    this.#cancelAt(point);
    if (point.number !== this.#injection.error) return undefined;
    this.#injected = this.#makeError();
    return this.#injected;
  }

  #atSuspension(scope: Scope | null, describe: () => string): void {
    const point = scope === null ? null : this.#pass("suspension", scope, describe);
    // Not from within the hook: it is told while the wait is being registered.
    if (point !== null) queueMicrotask(() => this.#cancelAt(point));
  }

  // The start of a task is none: until its first checkpoint a task cannot know whether it is cancelled.
  #atWakeUp(scope: Scope): void {
    if (scope.task?.state.kind === "new") return;
    const point = this.#pass("wakeUp", scope, `task "${scope.task?.name}"`);
    // Who wakes may be in the middle of a change. The code that is woken comes after this microtask.
    if (point !== null) queueMicrotask(() => this.#cancelAt(point));
  }

  /** Counts a point, and returns it if something is injected here. */
  #pass(kind: TorturePoint["kind"], scope: Scope, what: string | (() => string)): TorturePoint | null {
    if (this.#tortured?.region.contains(scope) !== true) return null;
    this.passed += 1;
    const { cancel, thenOuter, error } = this.#injection;
    const isTarget = this.passed === cancel || this.passed === thenOuter || this.passed === error;
    const isFirstRun = cancel === undefined && error === undefined;
    if (!isTarget && !isFirstRun) return null;
    const point = { number: this.passed, kind, where: whereIs(what, kind) };
    if (isFirstRun) this.points.push(point);
    else this.injectedAt = point;
    return isTarget ? point : null;
  }

  #cancelAt({ number }: TorturePoint): void {
    const { cancel, thenOuter } = this.#injection;
    if (number === cancel) this.#tortured?.scope.cancel(`torture, at point ${number}`);
    if (number === thenOuter) this.#tortured?.outer.cancel(`torture, at point ${number}`);
  }
}

function whereIs(what: string | (() => string), kind: TorturePoint["kind"]): string {
  const text = typeof what === "string" ? what : what();
  // Who wakes somebody else is not where that one waits.
  const site = kind === "wakeUp" ? "" : callSite();
  return [text, site].filter((part) => part !== "").join(": ");
}

/** Whether one error is another one, or was made of it. */
function stemsFrom(error: unknown, origin: Error, seen: Set<unknown> = new Set()): boolean {
  if (error === origin) return true;
  if (!(error instanceof Error) || seen.has(error)) return false;
  seen.add(error);
  const { cause, errors = [], error: newer, suppressed }: Partial<AggregateError & SuppressedError> = error;
  return [cause, newer, suppressed, ...errors].some((part) => stemsFrom(part, origin, seen));
}
