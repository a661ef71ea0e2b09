// Ten moments of a SIGINT; test/slow/proofs has a thousand.

import { proveShutdown } from "./prove-shutdown.ts";

proveShutdown(10, 3, 10);
