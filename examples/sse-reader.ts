// Reads server-sent events as if the connection never broke: it comes back with the id of the last event it has seen.

import { ClientSession, serverSentEvents } from "@meanwhile/http";
import { fixed, run } from "meanwhile";

import { serve } from "./support/serve.ts";

// 6 prices, two for each connection; the second connection breaks instead of ending. Then 204: no more events.
await using server = await serve((request, response) => {
  const last = Number(request.headers["last-event-id"] ?? 0);
  if (last >= 6) {
    response.writeHead(204).end();
    return;
  }
  response.setHeader("content-type", "text/event-stream");
  for (const id of [last + 1, last + 2]) response.write(`event: price\nid: ${id}\ndata: {"price":${100 + id}}\n\n`);
  if (last === 2) setTimeout(() => response.destroy(), 20);
  else response.end();
});

await run(async () => {
  await using session = new ClientSession({ baseUrl: server.origin });
  const events = serverSentEvents(session, "/prices", {
    backoff: fixed(10), // as a rule a second and more: leave it out
    onReconnect: ({ error, lastEventId }) =>
      console.log(`  ${error?.code ?? "the server ended it"}; goes on behind ${lastEventId}`),
  });
  for await (const { event, id, data } of events) console.log(`${event} ${id}: ${JSON.parse(data).price}`);
  console.log("the server has no more"); // after 6 prices and 3 reconnections
});
