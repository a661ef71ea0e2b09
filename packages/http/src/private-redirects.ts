// Redirects from the public internet into a private network: a server that anybody may run must not choose which machines
// behind the firewall are asked.

import { isIP } from "node:net";

import { cancellable } from "meanwhile";

import type { AddressRule } from "./addresses.ts";
import type { DnsCache, FoundAddress } from "./dns.ts";
import { ConnectError, type RequestLine } from "./errors.ts";

/** What a redirect must not do, of one session. */
export class RedirectGuard {
  readonly #isPublic: AddressRule;
  readonly #dns: DnsCache;

  constructor(isPublic: AddressRule, dns: DnsCache) {
    this.#isPublic = isPublic;
    this.#dns = dns;
  }

  /**
   * Throws if the answer came from a public address, and the URL it redirects to leads to one that is not. The lookup is
   * the one that the connection takes its address from, as long as it is remembered.
   *
   * Cancellation: ends the wait for the lookup.
   *
   * @throws {@link ConnectError} `MW_ERR_HTTP_ADDRESS_REFUSED`, or `MW_ERR_HTTP_DNS` for a name that is not found
   */
  async check(peer: string, url: URL, request: RequestLine): Promise<void> {
    const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (!this.#isPublic(peer, familyOf(peer), "")) return;
    for (const { address, family } of await this.#addressesOf(hostname, url, request)) {
      if (this.#isPublic(address, family, hostname)) continue;
      const what = `it was redirected from the public address ${peer} to ${address}, which is none; pass privateRedirects: true to follow`;
      throw new ConnectError("MW_ERR_HTTP_ADDRESS_REFUSED", request, what);
    }
  }

  async #addressesOf(hostname: string, url: URL, request: RequestLine): Promise<ReadonlyArray<FoundAddress>> {
    const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
    const known = this.#dns.known(hostname, port) ?? hostname;
    if (isIP(known) !== 0) return [{ address: known, family: familyOf(known) }];
    const lookup = new Promise<ReadonlyArray<FoundAddress> | Error>((resolve) => {
      this.#dns.find(known, (error, found) => resolve(error ?? found));
    });
    const found = await cancellable(lookup);
    if (!(found instanceof Error)) return found;
    throw new ConnectError("MW_ERR_HTTP_DNS", request, "the host it redirects to cannot be looked up", {
      cause: found,
    });
  }
}

function familyOf(address: string): 4 | 6 {
  return isIP(address) === 6 ? 6 : 4;
}
