// What the compiler makes of the types of a server. Compiled, never run.

import { refuse, type Server, serve, type ServerConnection } from "@meanwhile/websocket";
import { expectTypeOf } from "expect-type";

interface User {
  name: string;
}

const plain = await serve((socket) => {
  expectTypeOf(socket.user).toEqualTypeOf<undefined>();
  expectTypeOf(socket.params["room"]).toEqualTypeOf<string | undefined>();
});
expectTypeOf(plain).toEqualTypeOf<Server>();

// A handler that wants a user says so.
const authenticated = await serve((socket: ServerConnection<User>) => socket.send(socket.user.name), {
  allowedOrigins: "same-host",
  authenticate: async ({ headers }) => (headers.has("x-name") ? { name: "ada" } : refuse(403)),
});
expectTypeOf(authenticated.connections).toEqualTypeOf<ReadonlySet<ServerConnection<User>>>();

// What knows nobody may be false.
await serve((socket: ServerConnection<User>) => socket.close(), {
  allowedOrigins: "any",
  authenticate: ({ headers }) => headers.has("x-name") && { name: "ada" },
});

// Or the server does.
await serve<User>(null, {
  routes: { "/rooms/:room": (socket) => expectTypeOf(socket.user).toEqualTypeOf<User>() },
  allowedOrigins: [/https:\/\/.*\.example\.com/],
  authenticate: () => undefined,
});

// @ts-expect-error what authenticate returns is not what the handler wants
await serve((socket: ServerConnection<User>) => socket.close(), { allowedOrigins: "any", authenticate: () => 7 });
