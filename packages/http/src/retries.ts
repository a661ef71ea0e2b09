// Whether a request is worth another attempt, and when. The trying itself is meanwhile's retry().

import { type Backoff, exponential, now, retry, type RetryEvent } from "meanwhile";
import { currentScopeNode, type Scope } from "meanwhile/lowlevel";

import { badArgument, checkCount, checkFlag, checkMs } from "./checks.ts";
import { HttpError, type HttpErrorCode, type RequestLine, StatusError } from "./errors.ts";
import { closedOr, codeOf } from "./failures.ts";
import { isSpent, type Payload } from "./request-body.ts";
import type { ClientResponse } from "./response.ts";
import type { RetryBudget } from "./retry-budget.ts";

/** `false`: one attempt. A number: so many attempts in all. Rules: as they say. */
export type RetryOption = false | number | RetryRules;

/** When and how often a request is tried again. A header `Retry-After` is a floor for the wait. */
export interface RetryRules {
  /** How often to try in all; an integer >= 1, or `Infinity`. Default: 3. */
  readonly attempts?: number | undefined;
  /** How long to wait. Default: `exponential({ baseMs: 500, maxMs: 30_000 })`, with full jitter. */
  readonly backoff?: Backoff | undefined;
  /** The methods that are tried again. Default: GET, HEAD, PUT, DELETE, OPTIONS, TRACE. */
  readonly methods?: ReadonlyArray<string> | undefined;
  /** The statuses that are tried again. Default: 408, 425, 429, 500, 502, 503, 504, 521, 522, 524. */
  readonly statuses?: ReadonlyArray<number> | undefined;
  /** Can refuse an attempt that the other rules allow. A status comes as a `StatusError`. Default: refuses none. */
  readonly when?: ((error: HttpError, attempt: number) => boolean | PromiseLike<boolean>) | undefined;
  /** Milliseconds for all attempts and waits; a wait that would pass it is not begun. Default: none. */
  readonly totalMs?: number | undefined;
  /** A server that asks for a longer wait than this is not asked again. Default: 120 000. */
  readonly maxRetryAfterMs?: number | undefined;
  /**
   * Whether a server that asks to be left alone, by 429 or 503 with `Retry-After`, is left alone by all requests of the
   * session that have such rules: they wait, as for a slot. Default: `true`, but with one attempt `false`.
   */
  readonly pauseHost?: boolean | undefined;
  /** How many retries there may be of the requests to one host; `false` for any number. Default: 10 %, and 10 a minute in any case. */
  readonly budget?: RetryBudget | false | undefined;
  /** Called before each wait. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
}

/** Asking twice for one of these is asking once. */
export const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"]);

const STATUSES: ReadonlyArray<number> = [408, 425, 429, 500, 502, 503, 504, 521, 522, 524];
const CODES: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>([
  "MW_ERR_HTTP_CONNECT",
  "MW_ERR_HTTP_CONNECT_TIMEOUT",
  "MW_ERR_HTTP_IDLE_TIMEOUT",
  "MW_ERR_HTTP_INCOMPLETE",
  "MW_ERR_HTTP_RESET",
  "MW_ERR_HTTP_STATUS",
  "MW_ERR_HTTP_TOTAL_TIMEOUT",
]);

/** Checks the option and says what it means; null for a single attempt. */
export function retryRules(option: RetryOption, request: RequestLine): RetryRules | null {
  if (option === false) return null;
  const rules = typeof option === "number" ? { attempts: option } : option;
  if (typeof rules !== "object" || rules === null) {
    throw badArgument(request, "retry", option, "false, a number of attempts, or rules like { attempts: 3 }");
  }
  checkCount(request, "retry.attempts", rules.attempts, 1);
  checkMs(request, "retry.totalMs", rules.totalMs);
  checkMs(request, "retry.maxRetryAfterMs", rules.maxRetryAfterMs);
  for (const name of ["backoff", "when", "onRetry"] as const) {
    if (rules[name] !== undefined && typeof rules[name] !== "function") {
      throw badArgument(request, `retry.${name}`, rules[name], "a function");
    }
  }
  checkFlag(request, "retry.pauseHost", rules.pauseHost);
  checkBudget(rules.budget, request);
  for (const name of ["methods", "statuses"] as const) {
    if (rules[name] !== undefined && !Array.isArray(rules[name])) {
      throw badArgument(request, `retry.${name}`, rules[name], "a list");
    }
  }
  return isOnce(rules) && rules.pauseHost !== true ? null : rules;
}

/** Whether there is nothing to repeat, and no time limit around it. */
export function isOnce({ attempts, totalMs }: RetryRules): boolean {
  return attempts === 1 && totalMs === undefined;
}

function checkBudget(budget: RetryBudget | false | undefined, request: RequestLine): void {
  if (budget === undefined || budget === false) return;
  if (typeof budget !== "object" || budget === null) {
    throw badArgument(request, "retry.budget", budget, "false, or an object like { ratio: 0.1 }");
  }
  const { ratio, min, windowMs } = budget;
  if (ratio !== undefined && !(typeof ratio === "number" && ratio >= 0)) {
    throw badArgument(request, "retry.budget.ratio", ratio, "a number >= 0");
  }
  checkCount(request, "retry.budget.min", min, 0);
  if (windowMs === Infinity) throw badArgument(request, "retry.budget.windowMs", windowMs, "milliseconds > 0");
  checkMs(request, "retry.budget.windowMs", windowMs);
}

/** What {@link tryAgain} repeats, and what it must know of it. */
export interface Repeatable {
  readonly request: RequestLine;
  readonly payload: Payload;
  attempt(number: number): Promise<ClientResponse>;
  /** Whether one more request to the host is within the budget. */
  isInBudget(): boolean;
  /** Aborted when the session is closed. */
  readonly closing: AbortSignal;
  /** There will be another attempt. */
  retrying(event: RetryEvent): void;
}

/** Makes attempts as the rules say. A last answer with a status that is not worth it is an answer like any other. */
export async function tryAgain(repeatable: Repeatable, rules: RetryRules): Promise<ClientResponse> {
  const { request } = repeatable;
  const { attempts = 3, backoff = exponential({ baseMs: 500, maxMs: 30_000 }), statuses = STATUSES } = rules;
  // The answer behind the error that retry() judges; open until it is clear that it is not the last.
  let open: { readonly error: StatusError; readonly response: ClientResponse } | null = null;
  let attempt = 0;
  let delayMs = 0;
  const job = async (): Promise<ClientResponse> => {
    attempt += 1;
    const response = await repeatable.attempt(attempt);
    if (!statuses.includes(response.status) || attempt === attempts) return response;
    open = { error: response.statusError(), response };
    throw open.error;
  };
  try {
    return await retry(job, {
      attempts,
      totalMs: rules.totalMs,
      signal: repeatable.closing,
      backoff: () => delayMs,
      // Asked before the backoff: the wait is part of what is judged here.
      when: async (error, number) => {
        if (!mayRepeat(error, repeatable, rules)) return false;
        delayMs = backoff(number, error);
        if (!fitsIn(error, delayMs, rules)) return false;
        if (rules.when !== undefined && !(await rules.when(error, number))) return false;
        return repeatable.isInBudget();
      },
      onRetry: (event) => {
        open?.response.abandon();
        open = null;
        repeatable.retrying(event);
        rules.onRetry?.(event);
      },
    });
  } catch (error) {
    const last = open as { readonly error: StatusError; readonly response: ClientResponse } | null;
    if (last !== null && last.error === error) return last.response;
    last?.response.abandon();
    throw closedOr(error, repeatable.closing, request);
  }
}

function mayRepeat(error: unknown, { request, payload }: Repeatable, { methods }: RetryRules): error is HttpError {
  if (!(error instanceof HttpError) || !(CODES.has(error.code) || isTemporaryDns(error))) return false;
  if (!(methods?.includes(request.method) ?? IDEMPOTENT.has(request.method))) return false;
  return !isSpent(payload);
}

/** Whether the wait is one that the rules allow, and ends before the scopes around the call do. */
function fitsIn(error: HttpError, delayMs: number, { maxRetryAfterMs = 120_000 }: RetryRules): boolean {
  const asked = error instanceof StatusError ? (error.retryAfterMs ?? 0) : 0;
  return asked <= maxRetryAfterMs && now() + Math.max(asked, delayMs) < ambientDeadline();
}

function isTemporaryDns({ code, cause }: HttpError): boolean {
  return code === "MW_ERR_HTTP_DNS" && cause instanceof Error && codeOf(cause) === "EAI_AGAIN";
}

/** When the scopes around this call will cancel it. */
function ambientDeadline(): number {
  let earliest = Infinity;
  for (let scope: Scope | null = currentScopeNode(); scope !== null; scope = scope.parent) {
    earliest = Math.min(earliest, scope.deadline);
    if (scope.shielded) break;
  }
  return earliest;
}
