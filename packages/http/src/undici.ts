// The two parts of undici that are used here, loaded apart: its entry puts its own dispatcher under the global fetch of
// the whole program, and loads ten times as much. Its version is pinned for this.

import type { buildConnector as BuildConnector, Client as UndiciClient } from "undici";
// @ts-expect-error -- only the entry has types
import untypedConnector from "undici/lib/core/connect.js";
// @ts-expect-error -- as above
import untypedClient from "undici/lib/dispatcher/client.js";

export const Client: typeof UndiciClient = untypedClient;
export const buildConnector: typeof BuildConnector = untypedConnector;
