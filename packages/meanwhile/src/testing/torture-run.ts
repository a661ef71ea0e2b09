// One run of a scenario, with at most one injection: a cancellation or an error at the k-th point.
//
// Points are numbered in the order in which they come. An injection changes nothing before it, so the k-th point of each run
// is that of the first one.

import { TestError } from "../errors.ts";
import {
  addInstrument,
  type CancelScope,
  currentScopeNode,
  enterScope,
  type Scope,
  type TaskNode,
} from "../lowlevel.ts";
import { callSite } from "./call-site.ts";
import { Before } from "./leftovers.ts";
import { MockClock } from "./mock-clock.ts";
import { runDirected } from "./run-test.ts";
import type { Injection, Scenario, ScenarioOutcome, TorturePoint } from "./scenario.ts";
import type { TestDirector } from "./test-director.ts";
import type { TestOptions } from "./test-options.ts";

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
  // While the waits in a scope that is being cancelled are told.
  #isCancelling = false;
  // The tasks in which code was thrown the cancellation, in the order in which that happened.
  readonly #told = new Set<TaskNode>();
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
    const before = new Before("scenario", signals?.(world) ?? []);
    const outcome = await this.#observe(world);
    // The error first: what it has left behind is its consequence.
    if (outcome.kind === "failed" && !this.#isInjected(outcome.error) && expectErrors?.(outcome.error) !== true) {
      throw outcome.error;
    }
    before.refuseLeftovers();
    if (outcome.kind === "value") this.#refuseSwallowed();
    await check?.(world, outcome, this.#injection);
    return outcome;
  }

  async #observe(world: unknown): Promise<ScenarioOutcome<unknown>> {
    using listening = new DisposableStack();
    listening.use(
      addInstrument({
        suspended: ({ scope, target }) => this.#atSuspension(scope, () => target.describe()),
        resumed: ({ scope }) => this.#isCancelling && this.#tellIfCancelled(scope),
      }),
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

  #refuseSwallowed(): void {
    const { mayRecover = false, maySwallowCancellation = false } = this.#scenario;
    if (this.#injected !== null && !mayRecover) {
      throw swallowed("the injected error was thrown in it", "throw it on, or set 'mayRecover' if that is right");
    }
    const main = currentScopeNode().task;
    const swallower = [...this.#told].find((task) => task === main || task.state.kind === "succeeded");
    if (swallower === undefined || maySwallowCancellation) return;
    throw swallowed(
      `its task "${swallower.name}" was thrown the cancellation and caught it`,
      "throw it on, with rethrowIfCancelled() or in a 'finally', or set 'maySwallowCancellation' if that is right",
    );
  }

  #isInjected(error: unknown): boolean {
    return this.#injected !== null && stemsFrom(error, this.#injected);
  }

  #atCheckpoint(scope: Scope): Error | undefined {
    const point = this.#pass("checkpoint", scope, "");
    if (point !== null) this.#cancelAt(point);
    if (point === null || point.number !== this.#injection.error) {
      this.#tellIfCancelled(scope);
      return undefined;
    }
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
    this.#isCancelling = true;
    if (number === cancel) this.#tortured?.scope.cancel(`torture, at point ${number}`);
    if (number === thenOuter) this.#tortured?.outer.cancel(`torture, at point ${number}`);
    this.#isCancelling = false;
  }

  // A checkpoint and a wait that the cancellation ends throw it. A value that arrives in spite of it is none of that.
  #tellIfCancelled(scope: Scope | null): void {
    if (this.#tortured === null || !scope?.task || !this.#tortured.region.contains(scope)) return;
    const by = scope.effective?.scope;
    if (by === this.#tortured.scope || by === this.#tortured.outer) this.#told.add(scope.task);
  }
}

function swallowed(what: string, remedy: string): TestError {
  return new TestError("MW_ERR_TORTURE", `Cannot accept that the scenario returns a value: ${what}; ${remedy}`);
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
