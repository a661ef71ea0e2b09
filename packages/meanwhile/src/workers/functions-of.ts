// What a module offers to be called, as types.

/** The names under which the module `M` exports functions. */
export type FunctionsOf<M> = keyof {
  [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K];
} &
  string;

/** The names under which the module `M` exports functions that can be called with one argument. */
export type ItemFunctionsOf<M> = keyof {
  [K in keyof M as M[K] extends (item: never) => unknown ? K : never]: M[K];
} &
  string;

/** A module of which nothing is known: any name may be called, with anything, and what is returned is unknown. */
export type AnyModule = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** The parameters of the function `F`. */
export type ArgumentsOf<F> = F extends (...args: infer Args) => unknown ? Args : never;

/** What is there in the end when the function `F` was called and its promise, if it returns one, was awaited. */
export type ReturnOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;
