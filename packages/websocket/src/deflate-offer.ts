// What of the compression that a client offers a server agrees on: RFC 7692, section 7.1.

import type { PerMessageDeflateOptions } from "ws";

const FIRST_OFFER = /(?:^|,)\s*permessage-deflate\s*((?:;[^,]*)?)/i;

/**
 * The options for `ws` to answer one client. It takes them as demands, and refuses who offers less; so they are made as little
 * as that: a window that the client wants smaller is, and one whose size the client cannot be told is its own.
 */
export function deflateFor(offers: string | undefined, options: PerMessageDeflateOptions): PerMessageDeflateOptions {
  const offer = FIRST_OFFER.exec(offers ?? "")?.[1] ?? "";
  const { serverMaxWindowBits, clientMaxWindowBits, ...rest } = options;
  return {
    ...rest,
    ...smaller("serverMaxWindowBits", serverMaxWindowBits, bitsOf(offer, "server")),
    ...(/;\s*client_max_window_bits\b/i.test(offer)
      ? smaller("clientMaxWindowBits", clientMaxWindowBits, bitsOf(offer, "client"))
      : {}),
  };
}

function smaller<Name extends string>(
  name: Name,
  ours: number | boolean | undefined,
  theirs: number | undefined,
): Partial<Record<Name, number>> {
  if (typeof ours !== "number") return {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed name is a string to the types
  return { [name]: Math.min(ours, theirs ?? ours) } as Partial<Record<Name, number>>;
}

/** What is no number, or none that is allowed, is left to `ws` to refuse. */
function bitsOf(offer: string, side: "client" | "server"): number | undefined {
  const bits = Number(new RegExp(`;\\s*${side}_max_window_bits\\s*=\\s*"?(\\d{1,2})\\b`, "i").exec(offer)?.[1]);
  return bits >= 8 && bits <= 15 ? bits : undefined;
}
