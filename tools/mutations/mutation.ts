// What a seeded bug is. The lists beside this file are data: tools/check-mutations.ts makes each change in a copy of the
// core and wants a test to notice.

/** One bug, put in on purpose. */
export interface Mutation {
  /** What it does, in one line. */
  readonly bug: string;
  /** The file, below packages/meanwhile/src. */
  readonly file: string;
  /** A text that is in the file exactly once. */
  readonly from: string;
  /** What takes its place. */
  readonly to: string;
  /**
   * The test files that have to notice, below packages/meanwhile/test: one of them has to fail. `file#pattern` runs only the
   * tests whose names match.
   */
  readonly tests: readonly string[];
}
