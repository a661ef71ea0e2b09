// A million tasks in each way to end.

import { scaled } from "../../proofs/figures.ts";
import { proveNoLeaks } from "../../proofs/prove-no-leaks.ts";

proveNoLeaks(scaled(1_000_000), scaled(1_000_000), 600_000);
