// What of the compression that a client offers a server agrees on: RFC 7692, sections 5 and 7.1.

import type { PerMessageDeflateOptions } from "ws";

/** What `ws` is to be told of one client's offers. */
export interface Agreed {
  /** False to go without. */
  readonly options: PerMessageDeflateOptions | false;
  /** The header, with no offer but the one that is accepted. */
  readonly header: string | undefined;
}

type Parameters = ReadonlyMap<string, string | true>;

const TOKEN = "[!#$%&'*+\\-.0-9A-Z^_`|a-z~]+";
const OFFER = `[ \\t]*${TOKEN}(?:[ \\t]*;[ \\t]*${TOKEN}(?:=(?:${TOKEN}|"${TOKEN}"))?)*[ \\t]*`;
const HEADER = new RegExp(`^${OFFER}(?:,${OFFER})*$`);

const BITS = /^(?:[89]|1[0-5])$/;
/** The parameters there are, and which values they may have. */
const MAY_BE: Readonly<Record<string, (value: string | true) => boolean>> = {
  server_no_context_takeover: (value) => value === true,
  client_no_context_takeover: (value) => value === true,
  server_max_window_bits: (value) => value !== true && BITS.test(value),
  client_max_window_bits: (value) => value === true || BITS.test(value),
};

/**
 * Takes the first offer that can be accepted, or none: an offer is no demand. A header that cannot be read is left to `ws`,
 * which refuses it. `ws` takes its options as demands, and refuses who offers less; so they are made as little as that: a
 * window that the client wants smaller is, and one whose size the client cannot be told is its own.
 */
export function deflateFor(header: string | undefined, options: PerMessageDeflateOptions): Agreed {
  if (header === undefined || !HEADER.test(header)) return { options, header };
  for (const offer of header.split(",")) {
    const parameters = parametersOf(offer);
    if (parameters !== null) return { options: atMost(options, parameters), header: offer.trim() };
  }
  return { options: false, header };
}

/** Those of an offer; null if it is of something else, or cannot be accepted. */
function parametersOf(offer: string): Parameters | null {
  const [name, ...given] = offer.split(";").map((part) => part.trim());
  if (name !== "permessage-deflate") return null;
  const parameters = new Map<string, string | true>();
  for (const one of given) {
    const [key = "", quoted] = one.split("=");
    const value = quoted?.replaceAll('"', "") ?? true;
    if (parameters.has(key) || !Object.hasOwn(MAY_BE, key) || MAY_BE[key]?.(value) !== true) return null;
    parameters.set(key, value);
  }
  return parameters;
}

function atMost(options: PerMessageDeflateOptions, parameters: Parameters): PerMessageDeflateOptions {
  const { serverMaxWindowBits, clientMaxWindowBits, ...rest } = options;
  return {
    ...rest,
    ...smaller("serverMaxWindowBits", serverMaxWindowBits, parameters.get("server_max_window_bits")),
    ...(parameters.has("client_max_window_bits")
      ? smaller("clientMaxWindowBits", clientMaxWindowBits, parameters.get("client_max_window_bits"))
      : {}),
  };
}

function smaller<Name extends string>(
  name: Name,
  ours: number | boolean | undefined,
  theirs: string | true | undefined,
): Partial<Record<Name, number>> {
  if (typeof ours !== "number") return {};
  const most = typeof theirs === "string" ? Number(theirs) : ours;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed name is a string to the types
  return { [name]: Math.min(ours, most) } as Partial<Record<Name, number>>;
}
