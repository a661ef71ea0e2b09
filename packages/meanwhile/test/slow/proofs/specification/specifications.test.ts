// Fifty thousand programs for each primitive, behind those that `npm test` runs.

import { scaled } from "../../../proofs/figures.ts";
import { proveSpecifications } from "../../../proofs/specification/prove-specifications.ts";

const FIRST = 1_000_000;

proveSpecifications(FIRST, scaled(50_000));
