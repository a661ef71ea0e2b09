// Where a use case is tried again and again: a server, a proxy, a directory, and what has to be so after each time.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ClientSession, HttpError, type TraceListener } from "@meanwhile/http";
import { cancelScope, isCancelled, run } from "meanwhile";

import { serveSecure } from "./certificates.ts";
import { serveHttpProxy, serveSocksProxy, type TestProxy } from "./proxy-servers.ts";
import { serve, type TestServer } from "./servers.ts";
import type { UseCase, World } from "./torture-scenarios.ts";
import { answers } from "./torture-server.ts";

/** Ends the scope of a trial. */
type Cancel = () => void;

export interface Trial {
  /** Called when it begins. */
  readonly onStart?: (cancel: Cancel) => void;
  /** Called at each step of a request. */
  readonly onStep?: (cancel: Cancel) => void;
}

export class TorturePlace implements AsyncDisposable {
  readonly #useCase: UseCase;
  readonly #server: TestServer;
  readonly #proxy: TestProxy;
  readonly #root: string;
  #trials = 0;

  private constructor(useCase: UseCase, server: TestServer, proxy: TestProxy, root: string) {
    this.#useCase = useCase;
    this.#server = server;
    this.#proxy = proxy;
    this.#root = root;
  }

  static async open(useCase: UseCase): Promise<TorturePlace> {
    const server = await (useCase.isSecure === true ? serveSecure(answers()) : serve(answers()));
    const proxy = await (useCase.proxy === "socks5h" ? serveSocksProxy() : serveHttpProxy());
    return new TorturePlace(useCase, server, proxy, await mkdtemp(join(tmpdir(), "meanwhile-torture-")));
  }

  /** What one trial needs. */
  world(trace?: TraceListener): World {
    this.#trials += 1;
    const { options, proxy } = this.#useCase;
    const directory = join(this.#root, `${this.#trials}`);
    mkdirSync(directory);
    const through = proxy === undefined ? {} : { proxy: `${proxy}://127.0.0.1:${this.#proxy.port}` };
    const session = new ClientSession({ ...options?.(), ...through, trace });
    return { session, base: `${this.#server.url}/${this.#trials}`, directory };
  }

  /** Throws if a trial has left anything: at once no slot and no open file, and no connection when its session is closed. */
  async refuseLeftovers({ session, directory }: World): Promise<void> {
    const { inUse, waiting } = session.statistics();
    assert.deepEqual({ inUse, waiting, open: openFiles(directory) }, { inUse: 0, waiting: 0, open: [] });
    const { mayLeave = [] } = this.#useCase;
    const temporary = readdirSync(directory).filter((name) => !mayLeave.includes(name));
    assert.deepEqual(temporary, [], "temporary files");
    rmSync(directory, { recursive: true });
    await session.close();
    await allClosed(this.#server);
    await allClosed(this.#proxy);
  }

  /** Tries it once, in real time, and looks what it has left. Says whether it came to its end. */
  async try({ onStart, onStep }: Trial): Promise<boolean> {
    return await run(async () => {
      let isWhole = false;
      let world: World | undefined;
      await cancelScope(async (scope) => {
        const cancel = (): void => scope.cancel("enough");
        world = this.world(() => onStep?.(cancel));
        onStart?.(cancel);
        try {
          await this.#useCase.run(world);
          isWhole = true;
        } catch (error) {
          if (!isCancelled(error) && !isExpected(error)) throw error;
        }
      });
      assert.ok(world !== undefined);
      await this.refuseLeftovers(world);
      return isWhole;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#proxy[Symbol.asyncDispose]();
    await rm(this.#root, { recursive: true });
  }
}

/** What a cancellation does not make: what was to be tried again, and what a closed session says. */
export function isExpected(error: unknown): boolean {
  const codes = ["MW_ERR_HTTP_CLOSED", "MW_ERR_HTTP_RESET", "MW_ERR_HTTP_INCOMPLETE", "MW_ERR_HTTP_STATUS"];
  return error instanceof HttpError && codes.includes(error.code);
}

/** The other side hears of it a little later. */
async function allClosed({ sockets }: Pick<TestServer, "sockets">): Promise<void> {
  for (let turns = 0; sockets.some((socket) => !socket.closed); turns++) {
    const open = sockets.filter((socket) => !socket.closed).length;
    assert.ok(turns < 100_000, `${open} connections are left open`);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  sockets.length = 0;
}

/** The files in the directory that this process has open, and what is uploaded; none where there is no /proc. */
function openFiles(directory: string): string[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(linkOf)
      .filter((path) => path.startsWith(directory) || path.endsWith("torture-scenarios.ts"));
  } catch {
    return [];
  }
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // that of the list itself
  }
}
