// torture waits a while for handles that are being closed, and then names those that stay.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { describe, it } from "node:test";

import { cancellable, sleep } from "meanwhile";
import { type Scenario, torture } from "meanwhile/testing";

import { errorOf } from "../../util/outcomes.ts";

function listening(close: (server: Server) => void): Scenario<Server[], void> {
  return {
    setup: () => [],
    run: async (servers) => {
      const server = createServer();
      servers.push(server);
      await cancellable(new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
      await sleep(1);
      close(server);
    },
  };
}

describe("torture", () => {
  it("names a server that is left listening when the scenario is cancelled", async () => {
    const servers: Server[] = [];
    const error = await errorOf(
      torture({ ...listening((server) => server.close()), check: (used) => void servers.push(...used) }),
    );
    for (const server of servers) server.close();
    assert.equal(error.code, "MW_ERR_TORTURE");
    assert.match((error.cause as Error).message, /has left what keeps the process alive: TCPServerWrap/);
  });

  it("accepts one that is closed on every way out", async () => {
    await torture({
      setup: () => {},
      run: async () => {
        const server = createServer();
        try {
          await cancellable(new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
          await sleep(1);
        } finally {
          server.close();
        }
      },
    });
  });
});
