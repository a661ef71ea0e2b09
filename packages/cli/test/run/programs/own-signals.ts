// Programs that end in a way of their own.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5));

async function closeDatabase(): Promise<void> {
  await pause();
  console.log("database closed");
}

const ways: Readonly<Record<string, () => void>> = {
  handler() {
    setInterval(() => {}, 60_000);
    process.on("SIGTERM", () => {
      closeDatabase().then(
        () => process.exit(0),
        (error) => console.log(String(error)),
      );
    });
    console.log("ready");
  },
  drain() {
    const server = createServer((_request, response) => {
      console.log("got a request");
      pause().then(
        () => response.end("answer"),
        (error) => console.log(String(error)),
      );
    });
    process.once("SIGTERM", () => server.close(() => console.log("drained")));
    server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
  },
  goesOn() {
    const hold = setInterval(() => {}, 60_000);
    process.once("SIGINT", () => {
      closeDatabase().then(
        () => clearInterval(hold),
        (error) => console.log(String(error)),
      );
    });
    console.log("ready");
  },
  summary() {
    process.on("beforeExit", () => console.log("summary"));
  },
};

ways[process.argv[2] ?? ""]?.();
