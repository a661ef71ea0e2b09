// Short, safe rendering of a value for error messages: never throws, never long, never runs user code twice.

/** Renders `value` in at most about 80 characters. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (typeof value === "function") return value.name === "" ? "an anonymous function" : `the function "${value.name}"`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return `an object (${shorten(constructorName(value))})`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function constructorName(value: object): string {
  try {
    const name: unknown = value.constructor?.name;
    return typeof name === "string" && name !== "" ? name : "of no named class";
  } catch {
    return "unreadable";
  }
}
