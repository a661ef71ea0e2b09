// Short, safe rendering of a value for error messages: never throws, never long, never runs user code twice.

/** Renders `value` in at most about 80 characters. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (typeof value === "bigint") return shorten(`${value}n`);
  if (typeof value === "symbol") return shorten(String(value));
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) return String(value);
  try {
    return showObject(value);
  } catch {
    return "something unreadable"; // a getter or proxy that throws
  }
}

function showObject(value: object): string {
  if (typeof value === "function") {
    const name = nameOf(value);
    return name === "" ? "an anonymous function" : `the function "${name}"`;
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name = nameOf(value.constructor);
  return name === "" ? "an object of no named class" : `an object (${name})`;
}

/** The name of a function or class; "" if it has none, or something else under that name. */
function nameOf(named: { readonly name?: unknown } | undefined): string {
  const name = named?.name;
  return typeof name === "string" ? shorten(name) : "";
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
