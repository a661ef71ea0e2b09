// A network of its own for a process, that can be cut off: packets go nowhere, and nobody is told.

import { spawnSync } from "node:child_process";

/** Why there can be none here; false if there can. */
export const noIsland: string | false =
  process.platform !== "linux" || process.getuid?.() !== 0
    ? "network namespaces need Linux and root"
    : tryIt() && "network namespaces cannot be made here (ip netns)";

/** A network namespace, and the link to it. */
export class Island implements Disposable {
  readonly #name: string;
  readonly #link: string;
  /** Where this side of the link is. */
  readonly address: string;

  constructor() {
    const number = process.pid % 250;
    this.#name = `mw${process.pid}`;
    this.#link = `mw${process.pid % 100_000}`;
    this.address = `10.231.${number}.1`;
    const there = `${this.#link}i`;
    ip("netns", "add", this.#name);
    ip("link", "add", this.#link, "type", "veth", "peer", "name", there);
    ip("link", "set", there, "netns", this.#name);
    ip("addr", "add", `${this.address}/24`, "dev", this.#link);
    ip("link", "set", this.#link, "up");
    ip("-n", this.#name, "addr", "add", `10.231.${number}.2/24`, "dev", there);
    ip("-n", this.#name, "link", "set", there, "up");
    ip("-n", this.#name, "link", "set", "lo", "up");
  }

  /** What starts a process there. */
  get prefix(): readonly string[] {
    return ["ip", "netns", "exec", this.#name];
  }

  /** Nothing comes through any more. Connections stay. */
  cut(): void {
    ip("link", "set", this.#link, "down");
  }

  heal(): void {
    ip("link", "set", this.#link, "up");
  }

  [Symbol.dispose](): void {
    ip("netns", "del", this.#name);
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}

/** Whether it fails. */
function tryIt(): boolean {
  try {
    ip("netns", "add", `mwtry${process.pid}`);
    ip("netns", "del", `mwtry${process.pid}`);
    return false;
  } catch {
    return true;
  }
}
