// The public API of @meanwhile/cli: this list is it.

export { main } from "./main.ts";
