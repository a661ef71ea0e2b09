// A server like any other: it knows nothing of meanwhile.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((_request, response) => {
  answer().then(
    () => response.end(),
    () => response.destroy(),
  );
});

async function answer(): Promise<void> {
  try {
    console.log("got a request");
    await new Promise(() => {});
  } finally {
    console.log("request cleaned up");
  }
}

server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
