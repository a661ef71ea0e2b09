// What is wrong with a value: with one of the server that cannot be read, or with an argument that cannot be sent.

import { kindOf, withoutMessage } from "./error-privacy.ts";
import { PostgresError } from "./errors.ts";
import { quoted } from "./statement-text.ts";

/** A value of the server that cannot become what was asked for. */
export function unreadable(what: string, options?: ErrorOptions): PostgresError {
  return new PostgresError("MW_ERR_PG_VALUE", `Cannot read the result: ${what}`, options);
}

/** Thrown by encoders: it does not know which argument it is about. Never shown to a caller. */
export class UnsuitableValue extends Error {
  override readonly name = "UnsuitableValue";

  /** @param wanted - what the type takes */
  constructor(value: unknown, type: string, wanted: string, options?: ErrorOptions) {
    super(`a value of the type ${type} cannot be ${article(kindOf(value))}; pass ${wanted}`, options);
  }
}

function article(kind: string): string {
  if (kind === "null" || kind === "undefined") return kind;
  return /^[aeiou]/i.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/** An argument of a statement that cannot be sent. Nothing was. */
export function unsuitableArgument(text: string, at: number, error: unknown, index?: number): PostgresError {
  const why = error instanceof UnsuitableValue ? error.message : "its encoder threw";
  const options = error instanceof UnsuitableValue ? {} : { cause: withoutMessage(error) };
  return new PostgresError(
    "MW_ERR_PG_ARGUMENT_TYPE",
    `Cannot run ${quoted(text)}${place(index)}: the argument $${at + 1} does not fit: ${why}`,
    options,
  );
}

/** Too many arguments, or too few. The statement was not run. */
export function wrongCount(text: string, given: number, wanted: number, index?: number): PostgresError {
  const what = `it has ${wanted} parameter${wanted === 1 ? "" : "s"}, and ${given} argument${given === 1 ? " was" : "s were"} given`;
  return new PostgresError("MW_ERR_PG_ARGUMENT_COUNT", `Cannot run ${quoted(text)}${place(index)}: ${what}`);
}

/** More arguments than the protocol can carry. */
export function tooMany(text: string, given: number, most: number): PostgresError {
  const what = `${given} arguments were given, and ${most} can be sent; pass arrays, as in unnest($1::int[]), or use copyFrom()`;
  return new PostgresError("MW_ERR_PG_ARGUMENT_COUNT", `Cannot run ${quoted(text)}: ${what}`);
}

function place(index: number | undefined): string {
  return index === undefined ? "" : ` with the arguments at index ${index}`;
}
