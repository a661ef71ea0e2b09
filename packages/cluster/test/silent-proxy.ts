// A way to a server whose connections can fall silent, as those over a broken network do: nobody is told.

import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A way to a server. */
export class SilentProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  #isRefusing = false;

  private constructor(target: NetConnectOpts) {
    this.#server = createServer((near) => this.#pass(near, connect(target)));
  }

  static async to(target: NetConnectOpts): Promise<SilentProxy> {
    const proxy = new SilentProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#open.size;
  }

  /** The connections that there are pass on nothing more; new ones work. */
  silence(): void {
    for (const socket of this.#open) this.#silent.add(socket);
  }

  /** Ends the connections that there are, and takes none until it is told to. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
    if (isRefusing) for (const socket of this.#open) socket.destroy();
  }

  #pass(near: Socket, far: Socket): void {
    this.#open.add(near);
    near.on("data", (data) => this.#silent.has(near) || far.write(data));
    far.on("data", (data) => this.#silent.has(near) || near.write(data));
    for (const socket of [near, far]) socket.on("error", () => {});
    near.on("close", () => {
      this.#open.delete(near);
      far.destroy();
    });
    far.on("close", () => this.#silent.has(near) || near.destroy());
    if (this.#isRefusing) near.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
