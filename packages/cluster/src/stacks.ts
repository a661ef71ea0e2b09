// Stacks without what is no news: how a call came through this package and the core.

const FRAME = /^ +at /;
// Everything of this package, and of the core, lies below.
const HOMES = homes();

function homes(): string[] {
  const ours = new URL(".", import.meta.url).href;
  try {
    return [ours, new URL("..", import.meta.resolve("meanwhile")).href];
  } catch {
    return [ours]; // in a bundle there is one file for all
  }
}

/** Stands between two stacks; whoever reads stacks line by line passes over it. */
export const CALLED_FROM = "  called from";

function isOurs(line: string): boolean {
  return FRAME.test(line) && (HOMES.some((home) => line.includes(home)) || /[ (]node:/.test(line));
}

/** The frames of a stack, from the first that is not ours. */
export function callerFrames(stack: string): string {
  const lines = stack.split("\n");
  const first = lines.findIndex((line) => FRAME.test(line) && !isOurs(line));
  return first === -1 ? "" : lines.slice(first).join("\n");
}

/** Without our frames at its end. */
export function withoutOurEnd(stack: string): string {
  const lines = stack.split("\n");
  while (lines.length > 1 && (isOurs(lines.at(-1) ?? "") || lines.at(-1) === CALLED_FROM)) lines.pop();
  return lines.join("\n");
}
