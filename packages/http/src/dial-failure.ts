// What went wrong while a connection was made, where we know it better than Node. Becomes a ConnectError.

import type { AddressRule } from "./addresses.ts";
import type { HttpErrorCode } from "./errors.ts";

/** Never shown to a caller. Its text follows "Cannot GET …: ". */
export class DialFailure extends Error {
  override readonly name = "DialFailure";
  readonly code: HttpErrorCode;

  constructor(code: HttpErrorCode, what: string, options?: ErrorOptions) {
    super(what, options);
    this.code = code;
  }
}

/** The server, or the proxy, closed the connection. */
export function hungUp(): DialFailure {
  return new DialFailure("MW_ERR_HTTP_CONNECT", "the other side closed the connection while it was being made");
}

/** Something failed on the way through a proxy. `name` must not hold its credentials. */
export function proxyFailed(name: string, error: Error): DialFailure {
  const code = "code" in error ? String(error.code) : error.name;
  const why = error instanceof DialFailure ? error.message : code;
  return new DialFailure("MW_ERR_HTTP_PROXY", `its proxy ${name} cannot be used: ${why}`, { cause: error });
}

/** What the rule has against an address; null if it may be connected to. */
export function refusalOf(rule: AddressRule, address: string, family: 4 | 6, hostname: string): DialFailure | null {
  const whose = address === hostname ? address : `${address} of the host ${hostname}`;
  const what = `'publicOnly' or 'privateRedirects' does not allow the address ${whose}`;
  try {
    // Anything but true is a no, a promise for example.
    const answer: unknown = rule(address, family, hostname);
    if (answer === true) return null;
    return new DialFailure("MW_ERR_HTTP_ADDRESS_REFUSED", what);
  } catch (cause) {
    return new DialFailure("MW_ERR_HTTP_ADDRESS_REFUSED", `${what}: it threw`, { cause });
  }
}
