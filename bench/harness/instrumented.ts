// The two forms of one piece of work: as it is, and instrumented.

import type { Measured, NodePeer } from "./row.ts";

/** Peers that do the same, once as it is and once under `@meanwhile/instrument`. */
export function plainAndInstrumented(measure: () => Promise<Measured>): readonly NodePeer[] {
  const packages = ["meanwhile", "@meanwhile/instrument"];
  return [
    { kind: "node", name: "plain", packages, measure },
    { kind: "node", name: "instrumented", ours: true, instrumented: true, packages, measure },
  ];
}
