// What a domain is made of. The server calls the column of a result by the type that its domain is made of, but a parameter by
// its domain: so it is asked for a result with a column of each type that is not known.

import type { MessageWriter } from "./message-writer.ts";

const NAME = "meanwhile_types";

/** Asks; what the columns of the answer are is what the types are made of. Leaves nothing prepared. */
export function askForBases(to: MessageWriter, oids: ReadonlyArray<number>): MessageWriter {
  const text = `select ${oids.map((_oid, at) => `$${at + 1}`).join(", ")}`;
  return to.parse(NAME, text, oids).describeStatement(NAME).closeStatement(NAME).flush();
}
