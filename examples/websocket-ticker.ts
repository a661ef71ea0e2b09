// Follows prices of a server that is not always there: the loop comes back by itself, and says what it has seen last.

import { ConnectionClosedError, reconnecting, serve } from "@meanwhile/websocket";
import { fixed, run, sleep } from "meanwhile";

interface Price {
  readonly id: number;
  readonly price: number;
}

const LAST = 9;

await run(async () => {
  // Three prices for each connection, of which every second one breaks off. A client says where it goes on.
  let visits = 0;
  await using server = await serve(async (socket) => {
    visits += 1;
    const { after } = await socket.recvJson<{ after: number }>();
    for (let id = after + 1; id <= Math.min(after + 3, LAST); id += 1) {
      await socket.sendJson({ id, price: 100 + id } satisfies Price);
      await sleep(5);
    }
    if (visits % 2 === 1) socket.terminate();
  });

  let seen = 0;
  const options = {
    backoff: fixed(10), // as a rule seconds, and more each time: leave it out
    pingIntervalMs: 5_000, // a server that only stopped answering is noticed within 10 s
    pingTimeoutMs: 5_000,
  };
  for await (const socket of reconnecting(server.url, options)) {
    try {
      await socket.sendJson({ after: seen });
      for await (const message of socket) {
        const { id, price }: Price = JSON.parse(String(message));
        seen = id;
        console.log(`${id}: ${price}`);
      }
      console.log("  the server closed the connection");
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
      console.log(`  the connection was lost; goes on behind ${seen}`);
    }
    if (seen === LAST) break;
  }
  console.log(`${seen} prices over ${visits} connections`);
});
