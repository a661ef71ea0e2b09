// From the name of a host to its addresses: asked once for all who wait, and remembered for a short time.

import { type LookupAddress, lookup as lookupBySystem, Resolver } from "node:dns";
import { isIP } from "node:net";

import { DialFailure } from "./dial-failure.ts";

/**
 * Finds the addresses of a host. It is called once for all requests that wait for the same host, and goes on when one of
 * them is cancelled.
 */
export type LookupFunction = (
  hostname: string,
) => string | ReadonlyArray<string> | Promise<string | ReadonlyArray<string>>;

/** How the names of hosts are looked up. */
export interface DnsOptions {
  /** Finds the addresses instead of the system. */
  readonly lookup?: LookupFunction | undefined;
  /** How long addresses are remembered, in milliseconds; 0 for not at all. Default: 10 000. */
  readonly ttlMs?: number | undefined;
  /** How many hosts are remembered. Default: 1 000. */
  readonly maxEntries?: number | undefined;
  /** Only addresses of this family are used. Default: both, whichever connects first. */
  readonly family?: 4 | 6 | undefined;
  /** The name servers to ask, as addresses with or without a port, instead of what the system does. */
  readonly servers?: ReadonlyArray<string> | undefined;
  /** Addresses that are known: keys are `host` or `host:port`, as `--resolve` of curl. They are not looked up. */
  readonly resolve?: Readonly<Record<string, string>> | undefined;
}

/** How often names were looked up. */
export interface DnsStatistics {
  /** Hosts whose addresses are remembered. */
  readonly entries: number;
  /** Connections that found the addresses remembered, or on their way. */
  readonly hits: number;
  /** Connections that had to ask for them. */
  readonly misses: number;
}

/** One address of a host. */
export interface FoundAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

type Found = (error: Error | null, addresses: ReadonlyArray<FoundAddress>) => void;
type Ask = (hostname: string, found: (error: Error | null, addresses: ReadonlyArray<string>) => void) => void;

/** A lookup that is under way. */
interface Pending {
  readonly since: number;
  readonly waiting: Found[];
}

interface Entry {
  readonly addresses: ReadonlyArray<FoundAddress>;
  readonly expires: number;
}

/** Nobody joins a lookup that takes longer: it may never end. */
const GIVEN_UP_MS = 10_000;
const NONE: ReadonlyArray<FoundAddress> = [];

/** The cache of a session. */
export class DnsCache {
  readonly #ask: Ask;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #family: 4 | 6 | undefined;
  readonly #known: Readonly<Record<string, string>> | undefined;
  readonly #resolver: Resolver | null;
  // The one found last comes last.
  readonly #entries = new Map<string, Entry>();
  // Who waits for a lookup. It belongs to all of them, so no one of them can end it. Invariant: one lookup for each host,
  // but where an older one was given up; its waiters still get its answer.
  readonly #pending = new Map<string, Pending>();
  #hits = 0;
  #misses = 0;

  constructor({ lookup, servers, family, resolve, ttlMs = 10_000, maxEntries = 1_000 }: DnsOptions) {
    this.#ttlMs = ttlMs;
    this.#maxEntries = maxEntries;
    this.#family = family;
    this.#known = resolve === undefined ? undefined : Object.assign(Object.create(null), resolve);
    this.#resolver = servers === undefined ? null : new Resolver();
    this.#resolver?.setServers(servers ?? []);
    if (lookup !== undefined) this.#ask = askFunction(lookup);
    else this.#ask = this.#resolver === null ? askSystem(family) : askServers(this.#resolver, family);
  }

  /** The address that `resolve` gives for a host. */
  known(hostname: string, port: number): string | undefined {
    return this.#known?.[`${hostname}:${port}`] ?? this.#known?.[hostname];
  }

  /** Calls back with at least one address, at once if they are remembered. */
  find(hostname: string, found: Found): void {
    const entry = this.#entries.get(hostname);
    if (entry !== undefined && entry.expires > performance.now()) {
      this.#hits += 1;
      return found(null, entry.addresses);
    }
    const pending = this.#pending.get(hostname);
    if (pending !== undefined && performance.now() - pending.since < GIVEN_UP_MS) {
      this.#hits += 1;
      pending.waiting.push(found);
      return;
    }
    this.#misses += 1;
    const mine: Pending = { since: performance.now(), waiting: [found] };
    this.#pending.set(hostname, mine);
    this.#ask(hostname, (error, addresses) => this.#settle(hostname, mine, error, addresses));
  }

  /** Ends what still waits for a name server. */
  close(): void {
    this.#resolver?.cancel();
  }

  statistics(): DnsStatistics {
    return { entries: this.#entries.size, hits: this.#hits, misses: this.#misses };
  }

  #settle(hostname: string, pending: Pending, error: Error | null, answer: ReadonlyArray<string>): void {
    const { waiting } = pending;
    if (this.#pending.get(hostname) === pending) this.#pending.delete(hostname);
    this.#entries.delete(hostname);
    const failure = error ?? this.#check(answer);
    const addresses = failure === null ? this.#usable(answer) : NONE;
    if (failure === null && this.#ttlMs > 0) this.#remember(hostname, addresses);
    for (const found of waiting) found(failure, addresses);
  }

  /** What is wrong with the answer to a lookup. */
  #check(answer: ReadonlyArray<string>): Error | null {
    if (!Array.isArray(answer) || answer.some((address) => typeof address !== "string" || isIP(address) === 0)) {
      return new DialFailure("MW_ERR_HTTP_DNS", "what 'dns.lookup' returned is no address and no list of addresses");
    }
    if (this.#usable(answer).length > 0) return null;
    const family = this.#family === undefined ? "" : ` of family ${this.#family}`;
    return new DialFailure("MW_ERR_HTTP_DNS", `its host has no address${family}`);
  }

  #usable(answer: ReadonlyArray<string>): ReadonlyArray<FoundAddress> {
    return answer
      .map((address): FoundAddress => ({ address, family: isIP(address) === 6 ? 6 : 4 }))
      .filter(({ family }) => this.#family === undefined || family === this.#family);
  }

  #remember(hostname: string, addresses: ReadonlyArray<FoundAddress>): void {
    this.#entries.set(hostname, { addresses, expires: performance.now() + this.#ttlMs });
    if (this.#entries.size <= this.#maxEntries) return;
    for (const [oldest] of this.#entries) {
      this.#entries.delete(oldest);
      return;
    }
  }
}

function askSystem(family: 4 | 6 | undefined): Ask {
  const options = { all: true, family: family ?? 0, order: "verbatim" } as const;
  return (hostname, found) => {
    // Without a result the list is undefined, which its type does not say.
    lookupBySystem(hostname, options, (error, list: LookupAddress[] | undefined) =>
      found(error, list?.map(({ address }) => address) ?? []),
    );
  };
}

function askServers(resolver: Resolver, family: 4 | 6 | undefined): Ask {
  return (hostname, found) => {
    let open = family === undefined ? 2 : 1;
    let failure: Error | null = null;
    const lists: string[][] = [];
    const answered = (at: number, error: Error | null, list: string[] | undefined): void => {
      open -= 1;
      failure ??= error;
      lists[at] = list ?? [];
      if (open > 0) return;
      const addresses = lists.flat();
      found(addresses.length === 0 ? lookupFailed(failure) : null, addresses);
    };
    if (family !== 4) resolver.resolve6(hostname, (error, list) => answered(0, error, list));
    if (family !== 6) resolver.resolve4(hostname, (error, list) => answered(1, error, list));
  };
}

function askFunction(lookup: LookupFunction): Ask {
  return (hostname, found) => {
    // Its own errors, and those of who is called back, must not be mixed up.
    Promise.resolve(hostname)
      .then(lookup)
      .then(
        (answer) => queueMicrotask(() => found(null, typeof answer === "string" ? [answer] : answer)),
        (error: unknown) => queueMicrotask(() => found(lookupFailed(error), [])),
      );
  };
}

function lookupFailed(cause: unknown): DialFailure {
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return new DialFailure("MW_ERR_HTTP_DNS", `its host cannot be looked up${code}`, { cause });
}
