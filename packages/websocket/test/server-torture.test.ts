import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect, type Server, type ServerConnection, serve } from "@meanwhile/websocket";
import { gather, sleep } from "meanwhile";
import { torture } from "meanwhile/testing";

/** What a scenario has started. */
interface World {
  readonly servers: Array<Pick<Server, "statistics">>;
}

type UseCase = (world: World) => Promise<unknown>;

async function started(world: World): Promise<Server> {
  const server = await serve(
    async (socket) => {
      for await (const message of socket) await socket.send(message);
    },
    { drainMs: 100, closeTimeoutMs: 100 },
  );
  world.servers.push(server);
  return server;
}

async function greet(socket: ServerConnection<string>): Promise<void> {
  await socket.send(socket.user);
}

const USE_CASES: Readonly<Record<string, UseCase>> = {
  "starting and closing": async (world) => {
    await using _server = await started(world);
  },
  "an exchange of messages": async (world) => {
    await using server = await started(world);
    await using socket = await connect(server.url);
    await socket.send("hello");
    assert.equal(await socket.recv(), "hello");
  },
  "a client that has to say who it is": async ({ servers }) => {
    const authenticate = async (): Promise<string> => {
      await sleep(0);
      return "ada";
    };
    const options = { routes: { "/:room": greet }, authenticate, allowedOrigins: "any", drainMs: 100 } as const;
    await using server = await serve<string>(null, options);
    servers.push(server);
    await using socket = await connect(`${server.url}/blue`);
    assert.equal(await socket.recv(), "ada");
    await socket.waitClosed();
  },
  "a broadcast": async (world) => {
    await using server = await started(world);
    const listen = async (): Promise<void> => {
      await using socket = await connect(server.url);
      await socket.send("here");
      await socket.recv();
      server.broadcast("hello");
      await socket.recv();
    };
    await gather([listen, listen]);
  },
  "a server that closes while clients talk": async (world) => {
    await using server = await started(world);
    const talk = async (): Promise<void> => {
      await using socket = await connect(server.url);
      await socket.send("hello");
      await socket.recv();
      await socket.waitClosed();
    };
    const close = async (): Promise<void> => {
      await using socket = await connect(server.url);
      await socket.send("hello");
      await socket.recv();
      await server.close();
    };
    await gather([talk, close]);
  },
};

describe("whatever a server is used for, cancelled at any checkpoint and during any wait, ends whole", () => {
  for (const [name, use] of Object.entries(USE_CASES)) {
    it(name, async () => {
      const report = await torture({
        setup: (): World => ({ servers: [] }),
        run: use,
        check: ({ servers }, outcome) => {
          for (const server of servers) {
            assert.equal(server.statistics().state, "closed");
            assert.equal(server.statistics().connections, 0);
          }
          if (outcome.kind === "failed") throw outcome.error;
        },
      });
      assert.ok(report.runs > 1);
    });
  }
});
