// The refusal of what torture is given wrongly.

import type { UsageError } from "../errors.ts";
import { badArgument } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import type { Injection, Scenario, TorturePoint } from "./scenario.ts";
import { type Call, cannot, checkCount, checkFunction, checkTestOptions } from "./test-options.ts";
import type { TortureOptions } from "./torture.ts";

const ACT = "torture";
const CALL: Call = {
  name: "torture",
  act: ACT,
  options: ["inject", "errors", "mayFail", "pairs", "seed", "only"],
};
const PARTS_OF_ONLY = ["cancel", "thenOuter", "error", "kind"];

/** Refuses what can be refused before anything runs. */
export function checkTortureArguments(scenario: Scenario<unknown, unknown>, options: TortureOptions): void {
  checkTestOptions(CALL, options);
  if (typeof scenario?.run !== "function" || typeof scenario.setup !== "function") {
    throw cannot(ACT, `the scenario is ${show(scenario)}; pass a function, or an object with 'setup' and 'run'`);
  }
  const { check, signals, expectErrors, mayRecover, maySwallowCancellation } = scenario;
  for (const [name, value] of Object.entries({ check, signals, expectErrors })) checkFunction(ACT, name, value);
  for (const [name, value] of Object.entries({ mayRecover, maySwallowCancellation })) {
    if (value !== undefined && typeof value !== "boolean") throw badArgument(ACT, name, value, "a boolean");
  }
  const { inject = "cancel", pairs = 0, errors, mayFail, only } = options;
  if (!["cancel", "error", "both"].includes(inject)) {
    throw badArgument(ACT, "inject", inject, '"cancel", "error" or "both"');
  }
  checkCount(ACT, "pairs", pairs, 0);
  checkFunction(ACT, "mayFail", mayFail);
  const isListOfErrors = Array.isArray(errors) && errors.length > 0 && errors.every((one) => typeof one === "function");
  if (errors !== undefined && !isListOfErrors) {
    throw badArgument(ACT, "errors", errors, "an array of one or more functions that make errors");
  }
  if (only !== undefined) checkOnly(only, errors?.length ?? 1);
}

function checkOnly(only: Injection, kinds: number): void {
  const isInjection = typeof only === "object" && only !== null;
  if (!isInjection || Object.keys(only).some((part) => !PARTS_OF_ONLY.includes(part))) {
    throw badArgument(ACT, "only", only, "what the message of a failure says, like { cancel: 3 }");
  }
  const { cancel, thenOuter, error, kind = 0 } = only;
  if ((cancel === undefined) === (error === undefined)) {
    throw cannot(ACT, "'only' has to have one of 'cancel' and 'error'; pass { cancel: 3 } for point 3, for example");
  }
  if (thenOuter !== undefined && cancel === undefined) {
    throw cannot(ACT, "'only' has 'thenOuter' without 'cancel'; pass both");
  }
  if (!Number.isInteger(kind) || kind < 0 || kind >= kinds) {
    throw badArgument(
      ACT,
      "only.kind",
      kind,
      kinds === 1 ? "0, as there is one kind" : `an integer from 0 to ${kinds - 1}`,
    );
  }
}

/** Refuses an `only` that names no point of the scenario. */
export function checkPointOf(only: Injection, points: readonly TorturePoint[]): void {
  const { cancel, thenOuter, error } = only;
  const count = points.length === 1 ? "1 point" : `${points.length} points`;
  if (cancel !== undefined && points[cancel - 1] === undefined) throw noSuchPoint("cancel", cancel, count, points);
  if (thenOuter !== undefined && !(Number.isInteger(thenOuter) && thenOuter > (cancel ?? 0))) {
    throw badArgument(
      ACT,
      "only.thenOuter",
      thenOuter,
      `an integer above ${cancel}, the point of the first cancellation`,
    );
  }
  if (error === undefined) return;
  const point = points[error - 1];
  if (point === undefined) throw noSuchPoint("error", error, count, points);
  if (point.kind === "checkpoint") return;
  const checkpoints = points.filter(({ kind }) => kind === "checkpoint").map(({ number }) => number);
  const which = `point ${error} of ${points.length} is no checkpoint but a ${point.kind}, where no call can fail`;
  throw cannot(ACT, `${which}; pass one of ${checkpoints.join(", ")} as 'only.error'`);
}

function noSuchPoint(part: string, given: number, count: string, { length }: readonly TorturePoint[]): UsageError {
  if (length === 0) return cannot(ACT, `'only.${part}' is ${show(given)}, and the scenario has no points at all`);
  return cannot(
    ACT,
    `'only.${part}' is ${show(given)}, and the scenario has ${count}; pass an integer from 1 to ${length}`,
  );
}

/** The error for a second cancellation at a point that does not come any more after the first. */
export function noPointAfter({ cancel, thenOuter }: Injection, passed: number): UsageError {
  const why = `'only.thenOuter' is ${show(thenOuter)}, and when it is cancelled at point ${cancel} the scenario passes ${passed} points`;
  const range =
    passed > (cancel ?? 0) ? `pass an integer from ${(cancel ?? 0) + 1} to ${passed}` : "pass 'cancel' alone";
  return cannot(ACT, `${why}; ${range}`);
}
