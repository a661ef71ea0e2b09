// Keeps the cookies of servers and hands them out to whom they are for.

import { badArgument, checkCount, checkFlag, notSent } from "./checks.ts";
import { damaged, readCookieFile, writeCookieFile } from "./cookie-file.ts";
import { type CookieJarJson, cookiesOf, isCookieInput } from "./cookie-json.ts";
import {
  admit,
  admitAgain,
  type CookieRules,
  domainsOf,
  isFor,
  isOver,
  isTrustworthy,
  placeOf,
} from "./cookie-rules.ts";
import { CookieStore, type Entry } from "./cookie-store.ts";
import { type CookieInput, type JarCookie, parseSetCookie } from "./cookie.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import { targetOf } from "./target.ts";
import { HostWarnings } from "./warnings.ts";

/** Options of a {@link CookieJar}. */
export interface CookieJarOptions {
  /** How many cookies are kept in all; the least recently used go first. Default: 3 000. */
  readonly maxCookies?: number | undefined;
  /** How many of them for one domain. Default: 50. */
  readonly maxCookiesPerHost?: number | undefined;
  /** The longest cookie, name and value, in bytes. Default: 4 096. */
  readonly maxCookieBytes?: number | undefined;
  /** Whether a host may set cookies for all of `com` or `co.uk`. Default: `false`. */
  readonly allowPublicSuffixes?: boolean | undefined;
}

/** Options of {@link CookieJar.save}. */
export interface SaveCookiesOptions {
  /** Whether cookies that have no end are saved too, which a browser would forget. Default: `false`. */
  readonly sessionCookies?: boolean | undefined;
}

const JAR: RequestLine = { method: "make a", url: "CookieJar" };

/**
 * Keeps cookies as a browser does: for the host that set them, or its domain if that is no public suffix; `Secure` ones
 * for https and this machine only; those with `__Host-` and `__Secure-` in their name under the stricter rules of these.
 *
 * A bad cookie of a server is dropped. The process warning `MW_WARN_HTTP_COOKIE_REFUSED` says so, at most once in 10 s
 * for each host.
 *
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis}
 * @see {@link https://docs.aiohttp.org/en/stable/client_reference.html#cookiejar}
 *
 * @example
 * ```ts
 * import { CookieJar } from "@meanwhile/http";
 *
 * const jar = new CookieJar();
 * jar.set("session=abc; Path=/; Secure; Max-Age=60", "https://shop.test/login");
 * console.log(jar.get("https://shop.test/cart").map(({ name, value }) => `${name}=${value}`)); //> [ 'session=abc' ]
 * console.log(jar.get("http://shop.test/cart").length, jar.get("https://www.shop.test/").length, jar.size); //> 0 0 1
 * ```
 */
export class CookieJar implements Iterable<JarCookie> {
  readonly #rules: CookieRules;
  readonly #store: CookieStore;
  readonly #warnings = new HostWarnings();

  /** @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` for an option that cannot be used */
  constructor(options: CookieJarOptions = {}) {
    if (typeof options !== "object" || options === null) throw badArgument(JAR, "options", options, "an object");
    const { maxCookies = 3_000, maxCookiesPerHost = 50, maxCookieBytes = 4_096, allowPublicSuffixes = false } = options;
    checkCount(JAR, "maxCookies", maxCookies, 1);
    checkCount(JAR, "maxCookiesPerHost", maxCookiesPerHost, 1);
    checkCount(JAR, "maxCookieBytes", maxCookieBytes, 1);
    checkFlag(JAR, "allowPublicSuffixes", allowPublicSuffixes);
    this.#rules = { maxCookieBytes, allowPublicSuffixes };
    this.#store = new CookieStore({ maxCookies, maxCookiesPerHost });
  }

  /** How many cookies there are. */
  get size(): number {
    return [...this].length;
  }

  /**
   * Keeps a cookie as if a server had set it in its answer from `url`. It replaces the one with the same name, domain and
   * path; one that has ended takes it away.
   *
   * @param cookie - its parts, or the text of a `Set-Cookie` field
   * @throws {@link HttpError} `MW_ERR_HTTP_COOKIE_REFUSED` if that host must not set it, or it cannot be sent;
   * `MW_ERR_HTTP_INVALID_ARGUMENT`, `MW_ERR_HTTP_INVALID_URL`
   */
  set(cookie: string | CookieInput, url: string | URL): void {
    const request = { method: "set a cookie for", url: String(url) };
    const target = targetOf(url, undefined, undefined, request.method);
    if (typeof cookie !== "string" && !isCookieInput(cookie)) {
      throw badArgument(request, "cookie", cookie, "the text of a Set-Cookie field, or an object like { name, value }");
    }
    const refusal = this.#keep(cookie, target.url);
    if (refusal !== null) throw notSent(new HttpError("MW_ERR_HTTP_COOKIE_REFUSED", request, refusal));
  }

  /**
   * The cookies that a request to `url` gets, in the order in which they are sent.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_URL`
   */
  get(url: string | URL): JarCookie[] {
    const target = targetOf(url, undefined, undefined, "find cookies for");
    return this.#entriesFor(target.url).map(({ cookie }) => cookie);
  }

  /** Removes all cookies, or those of which `matches` says so. */
  clear(matches: (cookie: JarCookie) => boolean = () => true): void {
    for (const entry of this.#store) if (matches(entry.cookie)) this.#store.remove(entry);
  }

  /** All cookies, the least recently used one first. */
  *[Symbol.iterator](): IterableIterator<JarCookie> {
    const nowMs = Date.now();
    // A copy: who sets cookies in the loop does not meet them.
    const cookies = Array.from(this.#store, ({ cookie }) => cookie);
    yield* cookies.filter((cookie) => !isOver(cookie, nowMs));
  }

  /** All cookies, those that have no end too. The values are in it: it is as secret as they are. */
  toJSON(): CookieJarJson {
    return { version: 1, cookies: [...this] };
  }

  /**
   * A jar with the cookies of `toJSON()`.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` if it is anything else, or damaged
   */
  static from(json: CookieJarJson, options: CookieJarOptions = {}): CookieJar {
    const jar = new CookieJar(options);
    const flaw = jar.#fill(json);
    if (flaw === null) return jar;
    throw notSent(new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", JAR, `of that JSON: ${flaw}; pass what toJSON() gave`));
  }

  /**
   * Reads a jar that `save` wrote. Where there is no such file, the jar is empty. A symbolic link is not followed.
   *
   * Cancellation: loses the jar. Nothing has changed.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_COOKIE_FILE` if the file is damaged or cannot be read
   *
   * @example
   * ```ts
   * import { mkdtemp, rm } from "node:fs/promises";
   * import { tmpdir } from "node:os";
   * import { join } from "node:path";
   * import { CookieJar } from "@meanwhile/http";
   *
   * const directory = await mkdtemp(join(tmpdir(), "jar-"));
   * const jar = await CookieJar.load(join(directory, "cookies.json"));
   * jar.set({ name: "id", value: "7", expires: new Date(Date.now() + 60_000) }, "https://shop.test/");
   * await jar.save(join(directory, "cookies.json"));
   * console.log((await CookieJar.load(join(directory, "cookies.json"))).size); //> 1
   * await rm(directory, { recursive: true });
   * ```
   */
  static async load(path: string, options: CookieJarOptions = {}): Promise<CookieJar> {
    const jar = new CookieJar(options);
    const file = await readCookieFile(path);
    const flaw = file === null ? null : jar.#fill(file.json);
    if (flaw !== null) throw damaged(path, flaw);
    return jar;
  }

  /**
   * Writes the cookies to a file that only its owner may read, in place of the one that is there: whole, or not at all.
   * Something there that is not a file, such as a symbolic link, is left alone.
   *
   * Cancellation: safe. It is held back until the file is written.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_COOKIE_FILE` if the file cannot be written
   */
  async save(path: string, { sessionCookies = false }: SaveCookiesOptions = {}): Promise<void> {
    checkFlag(JAR, "sessionCookies", sessionCookies);
    const cookies = [...this].filter(({ expiresAt }) => sessionCookies || expiresAt !== undefined);
    await writeCookieFile(path, { version: 1, cookies });
  }

  /** @internal What a request to `url` has in its field `Cookie`; undefined if nothing. */
  cookieHeader(url: URL): string | undefined {
    if (this.#store.size === 0) return undefined;
    const entries = this.#entriesFor(url);
    if (entries.length === 0) return undefined;
    this.#store.touch(entries, Date.now());
    return entries.map(({ cookie }) => `${cookie.name}=${cookie.value}`).join("; ");
  }

  /** @internal Keeps what the answer from `url` sets. Never throws: what must not be set is dropped. */
  storeFrom(url: URL, setCookies: ReadonlyArray<string>): void {
    for (const line of setCookies) {
      const refusal = this.#keep(line, url);
      if (refusal === null) continue;
      const message = `Cannot keep a cookie that ${url.hostname} sets: ${refusal}; it is dropped`;
      this.#warnings.warn("MW_WARN_HTTP_COOKIE_REFUSED", url.hostname, message);
    }
  }

  /** Keeps a cookie, or says why not. */
  #keep(input: string | CookieInput, url: URL): string | null {
    const nowMs = Date.now();
    const { maxCookieBytes } = this.#rules;
    const asked = typeof input === "string" ? parseSetCookie(input, maxCookieBytes, nowMs) : input;
    if (typeof asked === "string") return asked;
    const cookie = admit(asked, url, this.#rules, nowMs);
    if (typeof cookie === "string") return cookie;
    if (!cookie.isSecure && !isTrustworthy(url) && this.#store.hasSecureLike(cookie)) {
      return "it would hide one that is Secure, and did not come over https";
    }
    this.#store.put(cookie, nowMs);
    return null;
  }

  /** The longest path first, then who came first. */
  #entriesFor(url: URL): Entry[] {
    const nowMs = Date.now();
    const place = placeOf(url);
    const found: Entry[] = [];
    for (const domain of domainsOf(place.host)) {
      for (const entry of this.#store.ofDomain(domain)) if (isFor(entry.cookie, place, nowMs)) found.push(entry);
    }
    return found.toSorted(
      (one, other) => other.cookie.path.length - one.cookie.path.length || one.serial - other.serial,
    );
  }

  #fill(json: unknown): string | null {
    const cookies = cookiesOf(json);
    if (typeof cookies === "string") return cookies;
    const nowMs = Date.now();
    for (const [index, kept] of cookies.entries()) {
      const cookie = admitAgain(kept, this.#rules, nowMs);
      if (typeof cookie === "string") return `of its cookie number ${index + 1}: ${cookie}`;
      this.#store.put(cookie, nowMs);
    }
    return null;
  }
}
