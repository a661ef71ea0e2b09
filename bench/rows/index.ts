// All rows, in the order of the table.

import type { Row } from "../harness/row.ts";
import { row as fetch } from "./fetch.ts";
import { row as gather } from "./gather.ts";
import { row as http } from "./http.ts";
import { row as map } from "./map.ts";
import { row as memory } from "./memory.ts";
import { row as sleep } from "./sleep.ts";

export const rows: readonly Row[] = [gather, sleep, memory, map, http, fetch];
