// What torture runs, what it does to it, and where.

/** What {@link torture} runs again and again. */
export interface Scenario<World, T> {
  /**
   * Makes what one run uses: each run gets its own.
   *
   * Cancellation: safe. Nothing is injected here.
   */
  readonly setup: () => World | PromiseLike<World>;
  /**
   * What is cancelled, or fails, in the middle.
   *
   * Cancellation: reaches everything it does in its own scope; that is what is tried.
   */
  readonly run: (world: World) => T | PromiseLike<T>;
  /** Throws if something is not as it has to be after a run, however that has ended. Default: nothing is checked. */
  readonly check?:
    | ((world: World, outcome: ScenarioOutcome<T>, injection: Injection) => void | PromiseLike<void>)
    | undefined;
  /** Signals that live longer than a run: it may leave no listener on them. Default: none. */
  readonly signals?: ((world: World) => readonly AbortSignal[]) | undefined;
  /**
   * Which errors the scenario may end with. One that stems from an injected error always may. Default: none, so that a
   * cleanup that fails is found.
   */
  readonly expectErrors?: ((error: unknown) => boolean) | undefined;
  /**
   * Whether the scenario may return a value although an injected error was thrown in it: because it tries again, has
   * something else to offer, or does without. Default: false, so that an error that gets lost is found.
   */
  readonly mayRecover?: boolean | undefined;
  /**
   * Whether the scenario may return a value although it has caught its own cancellation. Default: false; whoever catches it
   * has to throw it on.
   */
  readonly maySwallowCancellation?: boolean | undefined;
}

/** How a scenario ended. */
export type ScenarioOutcome<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: unknown };

/** What {@link torture} does to a scenario in one run; nothing in the first one. Points are numbered from 1. */
export interface Injection {
  /** The point at which the scenario is cancelled. */
  readonly cancel?: number | undefined;
  /** The later point at which a scope around the scenario is cancelled too. */
  readonly thenOuter?: number | undefined;
  /** The checkpoint that fails with an error. */
  readonly error?: number | undefined;
  /** Which of the `errors` it fails with, counted from 0. Default: 0. */
  readonly kind?: number | undefined;
}

/** A moment at which {@link torture} can cancel a scenario. */
export interface TorturePoint {
  /** Its number, from 1. */
  readonly number: number;
  /**
   * - `checkpoint`: a call that may wait begins, before it has any effect
   * - `suspension`: a wait has begun
   * - `wakeUp`: a wait has ended, and the code that waited has not gone on yet
   */
  readonly kind: "checkpoint" | "suspension" | "wakeUp";
  /** The call and the place it was made at, or who is woken. */
  readonly where: string;
}
