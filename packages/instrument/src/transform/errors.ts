// The one error of the transform.

/** Where the source of a {@link TransformError} is wrong. */
export interface SourcePlace {
  /** The file, as it was named. */
  readonly id: string;
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
}

/** A source could not be parsed. Whoever loads it passes it on as it is: the engine has the better words for what is wrong. */
export class TransformError extends Error {
  override readonly name: string = "TransformError";
  /** Stable code of the error. */
  readonly code = "MW_ERR_TRANSFORM" as const;
  /** The file, as the caller named it. */
  readonly id: string;
  /** Line of the mistake, from 1. */
  readonly line: number;
  /** Column of the mistake, from 1. */
  readonly column: number;
  /** What is wrong there, in the words of the parser. */
  readonly problem: string;

  /** @internal */
  constructor(place: SourcePlace, problem: string) {
    super(`Cannot instrument ${place.id}:${place.line}:${place.column}: ${problem}`);
    this.id = place.id;
    this.line = place.line;
    this.column = place.column;
    this.problem = problem;
  }
}
