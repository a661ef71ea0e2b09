// The part of undici that is used here, loaded apart: its entry puts its own dispatcher under the global fetch of the
// whole program, and loads ten times as much. Its version is pinned for this.

import type { Client as UndiciClient } from "undici";
// @ts-expect-error -- only the entry has types
import untypedClient from "undici/lib/dispatcher/client.js";

export const Client: typeof UndiciClient = untypedClient;
