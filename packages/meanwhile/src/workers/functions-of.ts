// What a module offers to be called, as types.

/** The names under which the module `M` exports functions. */
export type FunctionsOf<M> = keyof {
  [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K];
} &
  string;

/** The parameters of the function `F`. */
export type ArgumentsOf<F> = F extends (...args: infer Args) => unknown ? Args : never;

/** What is there in the end when the function `F` was called and its promise, if it returns one, was awaited. */
export type ReturnOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;
