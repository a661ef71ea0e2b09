// When an answer may be kept and used again, by RFC 9111: what http-cache-semantics says, and what it leaves out.

import CachePolicy from "http-cache-semantics";

import type { RawHeaders } from "./exchange-plan.ts";
import type { ClientRequest } from "./middleware.ts";

/** A request as the policy sees it. */
interface Head {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
}

/** With these, a server says that it has a problem, and not what the answer is. */
const ERRORS = new Set([500, 502, 503, 504]);
/** Not kept: cookies are for the jar, and secret; the others are said anew. `Vary` stands beside the policy. */
const NOT_KEPT = new Set(["set-cookie", "cache-status", "content-length", "transfer-encoding", "trailer", "vary"]);
const MAY_BE_STALE = /(?:^|,)\s*stale-if-error\s*=\s*"?(\d+)/i;

/** What a kept answer may be used for. Whether it is an answer to the request at all is decided before. */
export class EntryPolicy {
  readonly #policy: CachePolicy;

  constructor(policy: CachePolicy) {
    this.#policy = policy;
  }

  /** The policy of an answer that has come. */
  static of(request: ClientRequest, status: number, headers: RawHeaders): EntryPolicy {
    const policy = new CachePolicy(headOf(request), { status, headers: plain(headers) }, { shared: false });
    return new EntryPolicy(policy);
  }

  /** The one in an entry; null if it is not one that can be read. */
  static from(kept: Readonly<Record<string, unknown>>): EntryPolicy | null {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was made by toObject(), or that is found out here
      const policy = CachePolicy.fromObject(kept as unknown as CachePolicy.CachePolicyObject);
      return isWhole(policy.toObject()) ? new EntryPolicy(policy) : null;
    } catch {
      return null;
    }
  }

  /** What an entry keeps of it. */
  get kept(): Readonly<Record<string, unknown>> {
    return { ...this.#policy.toObject() };
  }

  get status(): number {
    return this.#policy.toObject().st;
  }

  /** Whether it may be kept, and there will be any use for it. */
  get isStorable(): boolean {
    const { etag, "last-modified": lastModified } = this.#policy.toObject().resh;
    return (
      this.#policy.storable() && (this.#policy.timeToLive() > 0 || etag !== undefined || lastModified !== undefined)
    );
  }

  /** Seconds for which it stays fresh; below 0 when it is stale. */
  get lifetime(): number {
    return Math.round(this.#policy.maxAge() - this.#policy.age());
  }

  /** The header fields to answer with: those that were kept, with `Age`. */
  get headers(): Record<string, string> {
    const { date } = this.#policy.toObject().resh;
    const { date: _now, ...headers } = this.#policy.responseHeaders();
    return plain(typeof date === "string" ? { ...headers, date } : headers);
  }

  /** Whether the request is content with it as it is. */
  suffices(request: ClientRequest): boolean {
    const kept = this.#policy.toObject();
    const { "must-revalidate": _always, ...rescc } = kept.rescc;
    // The library asks the server each time where must-revalidate is set; it only means that stale is never enough.
    const policy = this.#policy.stale() ? this.#policy : CachePolicy.fromObject({ ...kept, rescc });
    return policy.satisfiesWithoutRevalidation({ ...headOf(request), method: kept.m });
  }

  /** The fields that ask whether it has changed. */
  conditionsFor(request: ClientRequest): Record<string, string> {
    const { etag, "last-modified": lastModified } = this.#policy.toObject().resh;
    if (typeof etag === "string") return { "if-none-match": etag };
    return typeof lastModified === "string" && request.method !== "HEAD" ? { "if-modified-since": lastModified } : {};
  }

  /** The policy after the server said that nothing has changed; null if it spoke of another answer. */
  renewed(request: ClientRequest, headers: RawHeaders): EntryPolicy | null {
    const { etag, "last-modified": lastModified } = this.#policy.toObject().resh;
    const said = plain(headers);
    // Many leave out what they were asked about.
    if (said["etag"] === undefined && said["last-modified"] === undefined) {
      Object.assign(said, plain({ etag, "last-modified": lastModified }));
    }
    const asked = { ...headOf(request), method: this.#policy.toObject().m };
    const { policy, matches } = this.#policy.revalidatedPolicy(asked, { status: 304, headers: said });
    // Its age counts from this answer.
    return matches ? new EntryPolicy(policy) : null;
  }

  /** Whether it may stand in for a server that has a problem. */
  mayReplaceError(request: ClientRequest): boolean {
    const { rescc, resh } = this.#policy.toObject();
    if ("must-revalidate" in rescc || "no-cache" in rescc) return false;
    const asked = request.headers.get("cache-control") ?? "";
    if (/(?:^|,)\s*no-cache\s*(?:,|$)/i.test(asked)) return false;
    const seconds = [String(resh["cache-control"] ?? ""), asked].map((text) =>
      Number(MAY_BE_STALE.exec(text)?.[1] ?? 0),
    );
    return Math.max(...seconds) + this.lifetime > 0;
  }
}

/** Whether all is there that is used. */
function isWhole({ st, t, resh, rescc }: CachePolicy.CachePolicyObject): boolean {
  if (!Number.isInteger(st) || !Number.isFinite(t)) return false;
  if (typeof rescc !== "object" || rescc === null || typeof resh !== "object" || resh === null) return false;
  return Object.values(resh).every((value) => typeof value === "string");
}

/** Whether an answer is one that a kept one may stand in for. */
export function isServerError(status: number): boolean {
  return ERRORS.has(status);
}

/** The names and values of a Cache-Control, lower case. */
export function directivesOf(header: string | null): ReadonlySet<string> {
  return new Set(
    (header ?? "")
      .toLowerCase()
      .split(",")
      .map((part) => part.trim()),
  );
}

function headOf(request: ClientRequest): Head {
  const { method, hop } = request;
  return { method, url: hop.url.href, headers: plain(Object.fromEntries(hop.fields)) };
}

/** One text for each field. Directives are lower case here: the library knows them only so. */
function plain(headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_KEPT.has(name)) continue;
    const text = typeof value === "string" ? value : value.join(", ");
    fields[name] = name === "cache-control" || name === "pragma" ? text.toLowerCase() : text;
  }
  return fields;
}
