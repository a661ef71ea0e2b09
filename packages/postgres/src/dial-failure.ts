// Why no connection could be made, before it is known to whom that has to be told. Becomes a ConnectError.

import { ConnectError, type PostgresErrorCode, type ServerFields } from "./errors.ts";

/** Never shown to a caller. Its text follows "Cannot connect to …: ". */
export class DialFailure extends Error {
  override readonly name = "DialFailure";
  readonly code: PostgresErrorCode;
  /** What the server said. */
  readonly sqlstate: string | undefined;

  constructor(
    code: PostgresErrorCode,
    what: string,
    options?: ErrorOptions & { readonly sqlstate?: string | undefined },
  ) {
    super(what, options);
    this.code = code;
    this.sqlstate = options?.sqlstate;
  }

  /** The error for the one who wanted the connection. */
  toError(server: string): ConnectError {
    const { cause, sqlstate } = this;
    const details = { ...(cause === undefined ? {} : { cause }), ...(sqlstate === undefined ? {} : { sqlstate }) };
    return new ConnectError(this.code, server, this.message, details);
  }
}

/** How many servers a message names. */
const MOST_NAMED = 5;

/**
 * The error for the one who wanted a connection, when each of several servers failed, in the order in which they were tried. It
 * is about the last one, says what was wrong with the others as well, and has an error for each in its cause.
 */
export function connectError(failures: ReadonlyMap<string, DialFailure>): ConnectError {
  const all = [...failures];
  const last = all.pop();
  if (last === undefined)
    return new DialFailure("MW_ERR_PG_CONNECT", "there is no server to try").toError("PostgreSQL");
  const [server, failure] = last;
  if (all.length === 0) return failure.toError(server);
  const others = all.slice(0, MOST_NAMED).map(([name, { message }]) => `\n  nor to ${name}: ${message}`);
  const more = all.length > MOST_NAMED ? `\n  nor to ${all.length - MOST_NAMED} more` : "";
  const errors = Array.from(failures, ([name, one]) => one.toError(name));
  const cause = new AggregateError(errors, `${errors.length} servers were tried`);
  const { code, message, sqlstate } = failure;
  return new DialFailure(code, `${message}${others.join("")}${more}`, { cause, sqlstate }).toError(server);
}

/** For what Node says of a name or an address. */
export function dialFailureOf(error: unknown): DialFailure {
  const code = codeOf(error);
  const options = { cause: error };
  if (/^(ENOTFOUND|ENODATA|EAI_\w+)$/.test(code)) {
    const when = code === "EAI_AGAIN" ? "cannot be looked up now" : "has no address";
    return new DialFailure("MW_ERR_PG_DNS", `its host ${when} (${code})`, options);
  }
  const advice = ADVICE[code] ?? "";
  return new DialFailure("MW_ERR_PG_CONNECT", `the connection cannot be made (${code})${advice}`, options);
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "; is the server running, and is that its port?",
  ENOENT: "; there is no socket in that directory: is the server running?",
  EACCES: "; this user may not use that socket",
};

/** For what TLS says. */
export function tlsFailureOf(error: unknown): DialFailure {
  const code = codeOf(error);
  return new DialFailure("MW_ERR_PG_TLS", `no secure connection can be made (${code})`, { cause: error });
}

/** For what the server, or the way we log in, says. */
export function loginFailureOf(error: unknown): DialFailure {
  if (error instanceof DialFailure) return error;
  if (isServerError(error)) {
    const { code = "XX000", message } = error;
    const ours = code.startsWith("28") ? "MW_ERR_PG_AUTH" : "MW_ERR_PG_CONNECT";
    // Without a cause: pg's error has the same text and nothing that is not here.
    return new DialFailure(ours, `${message} (${code})`, { sqlstate: code });
  }
  const { message } = error instanceof Error ? error : { message: "" };
  if (message.startsWith("SASL"))
    return new DialFailure("MW_ERR_PG_AUTH", message.replace(/^SASL: /, ""), { cause: error });
  if (message.startsWith("Connection terminated")) {
    return new DialFailure("MW_ERR_PG_CONNECT", "the server closed the connection before it could be used");
  }
  return dialFailureOf(error);
}

/** Whether an error of pg is what the server said. */
export function isServerError(error: unknown): error is Error & ServerFields {
  return error instanceof Error && "severity" in error && typeof error.severity === "string";
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] !== undefined) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
