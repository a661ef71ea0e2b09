// How our objects look in `console.log` and in the diffs of assertions: one line, not the tree they are part of.

/** Makes Node, Bun and Deno show the instances of a class as what `text` says. */
export function showInstancesAs<T>(prototype: T & object, text: (instance: T) => string): void {
  // Not a method of the class: it would be in its published type.
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value(this: T): string {
      return text(this);
    },
  });
}
