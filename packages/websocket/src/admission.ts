// How many clients a server lets in: in total, and of one address.

import { isIPv6 } from "node:net";

/** Why one is not let in. */
export type Crowd = "server" | "address";

export class Admission {
  readonly #most: number;
  readonly #mostPerAddress: number;
  // Invariant: no address has 0.
  readonly #byAddress = new Map<string, number>();
  #inside = 0;

  constructor(most: number, mostPerAddress: number) {
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
  }

  /** How many are inside. */
  get size(): number {
    return this.#inside;
  }

  /** Lets one in, or says what is full. Whoever has no address, on a Unix socket, counts only in total. */
  enter(address: string | undefined): Crowd | null {
    const key = keyOf(address);
    const there = this.#byAddress.get(key) ?? 0;
    if (key !== "" && there >= this.#mostPerAddress) return "address";
    if (this.#inside >= this.#most) return "server";
    this.takePlace(address);
    return null;
  }

  /** Lets one in, full or not: for somebody who is about to leave. */
  takePlace(address: string | undefined): void {
    const key = keyOf(address);
    if (key !== "") this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1);
    this.#inside += 1;
  }

  /** One who was let in has left. */
  leave(address: string | undefined): void {
    this.#inside -= 1;
    const key = keyOf(address);
    if (key === "") return;
    const left = (this.#byAddress.get(key) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(key, left);
    else this.#byAddress.delete(key);
  }
}

/**
 * What counts as one address: of IPv6 the first half, because whoever has one address there has all that begin like it; and
 * an IPv4 address that is written as one of IPv6 is itself.
 */
export function keyOf(address: string | undefined): string {
  if (address === undefined) return "";
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) return plain;
  const embedded = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (embedded !== undefined) return embedded;
  const [front = "", back = ""] = plain.split("::");
  const before = front === "" ? [] : front.split(":");
  const after = back === "" ? [] : back.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const half = [...before, ...zeros, ...after].slice(0, 4);
  return half.map((group) => group.replace(/^0+(?=.)/, "").toLowerCase()).join(":");
}
