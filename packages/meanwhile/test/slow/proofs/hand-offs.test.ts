// A million races for everything that hands something over.

import { scaled } from "../../proofs/figures.ts";
import { proveHandOffs } from "../../proofs/prove-hand-offs.ts";

proveHandOffs(scaled(1_000_000), 1_800_000);
