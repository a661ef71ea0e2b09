// A hundred thousand tasks in each way to end; test/slow/proofs has ten times as many.

import { onThisHost } from "./figures.ts";
import { proveNoLeaks } from "./prove-no-leaks.ts";

proveNoLeaks(onThisHost(100_000), onThisHost(100_000), 60_000);
