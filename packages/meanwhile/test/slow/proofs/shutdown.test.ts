// A thousand moments of a SIGINT.

import { scaled } from "../../proofs/figures.ts";
import { proveShutdown } from "../../proofs/prove-shutdown.ts";

proveShutdown(scaled(1_000), scaled(200));
