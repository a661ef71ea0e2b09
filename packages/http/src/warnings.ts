// The warnings of the package. What a server does can cause one, so a server must not be able to flood a log with them.

import { now } from "meanwhile";

const QUIET_MS = 10_000;
const MOST_HOSTS = 1_000;

/** The codes of the process warnings of this package. */
export type HttpWarningCode = "MW_WARN_HTTP_COOKIE_REFUSED" | "MW_WARN_HTTP_INSECURE_TLS";

interface Silence {
  readonly until: number;
  count: number;
}

/** Emits at most one process warning of a kind for a host in 10 s; the next one says how many were left out. */
export class HostWarnings {
  // Oldest first: a warning puts its key last again.
  readonly #silences = new Map<string, Silence>();

  /** @param host - as a URL has it: it goes into the text */
  warn(code: HttpWarningCode, host: string, message: string): void {
    const key = `${code} ${host}`;
    const silence = this.#silences.get(key);
    if (silence !== undefined && now() < silence.until) {
      silence.count += 1;
      return;
    }
    this.#silences.delete(key);
    this.#silences.set(key, { until: now() + QUIET_MS, count: 0 });
    this.#forgetOldest();
    const more =
      silence === undefined || silence.count === 0 ? "" : `; ${silence.count} more like it since the last one`;
    process.emitWarning(`${message}${more}`, { type: "MeanwhileWarning", code });
  }

  #forgetOldest(): void {
    if (this.#silences.size <= MOST_HOSTS) return;
    for (const key of this.#silences.keys()) {
      this.#silences.delete(key);
      return;
    }
  }
}
