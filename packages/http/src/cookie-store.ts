// Keeps cookies, never more than the limits say. A server that sets too many loses its own oldest first.

import { coversPath, isOver, isWithin } from "./cookie-rules.ts";
import type { JarCookie } from "./cookie.ts";

/** How many cookies are kept. */
export interface StoreLimits {
  readonly maxCookies: number;
  readonly maxCookiesPerHost: number;
}

/** A cookie with its place in the order in which they were first set. */
export interface Entry {
  readonly cookie: JarCookie;
  readonly serial: number;
  /** When it was set or used last; some time late. */
  usedMs: number;
}

/** Who was used twice in this time is not moved twice: that would cost more than finding the cookies. */
const TOUCH_MS = 1_000;

export class CookieStore {
  readonly #limits: StoreLimits;
  // Invariant: every entry is in #entries and, under its domain, in #byDomain; a secure one also, under its name, in
  // #secure. No collection in these maps is empty. The entry that was set or sent last is at the end of each.
  readonly #entries = new Set<Entry>();
  readonly #byDomain = new Map<string, Map<string, Entry>>();
  readonly #secure = new Map<string, Set<Entry>>();
  #serial = 0;
  // No kept cookie ends before this time: there is no use in looking for one.
  #firstEnd = Infinity;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  [Symbol.iterator](): IterableIterator<Entry> {
    return this.#entries.values();
  }

  ofDomain(domain: string): Iterable<Entry> {
    return this.#byDomain.get(domain)?.values() ?? [];
  }

  /** Keeps a cookie in place of the one with the same name, domain and path. One that has ended only takes that away. */
  put(cookie: JarCookie, nowMs: number): void {
    const old = this.#byDomain.get(cookie.domain)?.get(keyOf(cookie));
    if (old !== undefined) this.remove(old);
    if (isOver(cookie, nowMs)) return;
    this.#add({ cookie, serial: old?.serial ?? (this.#serial += 1), usedMs: nowMs });
    this.#firstEnd = Math.min(this.#firstEnd, cookie.expiresAt ?? Infinity);
    this.#trimDomain(cookie.domain, nowMs);
    if (this.#entries.size > this.#limits.maxCookies) this.#trim(nowMs);
  }

  /** Notes that they were used: they are not the oldest any more. */
  touch(entries: ReadonlyArray<Entry>, nowMs: number): void {
    for (const entry of entries) {
      if (nowMs - entry.usedMs < TOUCH_MS) continue;
      entry.usedMs = nowMs;
      this.remove(entry);
      this.#add(entry);
    }
  }

  remove(entry: Entry): void {
    const { cookie } = entry;
    this.#entries.delete(entry);
    const siblings = this.#byDomain.get(cookie.domain);
    siblings?.delete(keyOf(cookie));
    if (siblings?.size === 0) this.#byDomain.delete(cookie.domain);
    const namesakes = this.#secure.get(cookie.name);
    namesakes?.delete(entry);
    if (namesakes?.size === 0) this.#secure.delete(cookie.name);
  }

  /** Whether there is a secure cookie that the new one, which came over a connection anybody can write to, would hide. */
  hasSecureLike({ name, domain, path }: JarCookie): boolean {
    for (const { cookie } of this.#secure.get(name) ?? []) {
      const isNear = isWithin(cookie.domain, domain) || isWithin(domain, cookie.domain);
      if (isNear && coversPath(cookie.path, path)) return true;
    }
    return false;
  }

  #add(entry: Entry): void {
    const { cookie } = entry;
    const siblings = this.#byDomain.get(cookie.domain) ?? new Map<string, Entry>();
    this.#byDomain.set(cookie.domain, siblings.set(keyOf(cookie), entry));
    this.#entries.add(entry);
    if (!cookie.isSecure) return;
    const namesakes = this.#secure.get(cookie.name) ?? new Set<Entry>();
    this.#secure.set(cookie.name, namesakes.add(entry));
  }

  #trimDomain(domain: string, nowMs: number): void {
    const siblings = [...this.ofDomain(domain)];
    if (siblings.length <= this.#limits.maxCookiesPerHost) return;
    // Before the secure ones: those who can listen must not be able to push them out.
    const victim =
      siblings.find(({ cookie }) => isOver(cookie, nowMs)) ??
      siblings.find(({ cookie }) => !cookie.isSecure) ??
      siblings[0];
    if (victim !== undefined) this.remove(victim);
  }

  #trim(nowMs: number): void {
    if (this.#firstEnd <= nowMs) this.#removeEnded(nowMs);
    for (const entry of this.#entries) {
      if (this.#entries.size <= this.#limits.maxCookies) return;
      this.remove(entry);
    }
  }

  #removeEnded(nowMs: number): void {
    this.#firstEnd = Infinity;
    for (const entry of this.#entries) {
      if (isOver(entry.cookie, nowMs)) this.remove(entry);
      else this.#firstEnd = Math.min(this.#firstEnd, entry.cookie.expiresAt ?? Infinity);
    }
  }
}

// Neither a path nor a name has a semicolon.
function keyOf({ name, path }: JarCookie): string {
  return `${path};${name}`;
}
