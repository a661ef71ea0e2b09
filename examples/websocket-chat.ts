// A chat: rooms by path, everybody hears who speaks, and somebody who does not listen slows nobody down.

import { broadcast, connect, serve, type ServerConnection } from "@meanwhile/websocket";
import { gather, run, sleep } from "meanwhile";

const rooms = new Map<string, Set<ServerConnection>>();

/** One connection, from its first message, a name, to its end. */
async function chat(socket: ServerConnection): Promise<void> {
  const room = roomOf(socket.params["room"] ?? "");
  const name = String(await socket.recv());
  broadcast(room, `${name} is here`);
  room.add(socket);
  try {
    for await (const message of socket) broadcast(room, `${name}: ${String(message)}`, { except: socket });
  } finally {
    room.delete(socket);
    broadcast(room, `${name} is gone`);
  }
}

function roomOf(name: string): Set<ServerConnection> {
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room);
  return room;
}

/** Says something now and then; gives what it has heard. */
async function visit(url: string, name: string, said: readonly string[], stayMs: number): Promise<string[]> {
  const heard: string[] = [];
  await using socket = await connect(url);
  await socket.send(name);
  const listen = async (): Promise<void> => {
    for await (const message of socket) heard.push(String(message));
  };
  const speak = async (): Promise<void> => {
    for (const message of said) {
      await sleep(30);
      await socket.send(message);
    }
    await sleep(stayMs);
    await socket.close();
  };
  await gather([listen, speak]);
  return heard;
}

await run(async () => {
  await using server = await serve(null, { routes: { "/rooms/:room": chat } });
  const tea = `${server.url}/rooms/tea`;
  const late = async (): Promise<string[]> => {
    await sleep(20);
    return visit(tea, "Grace", ["hello Ada"], 200);
  };
  const [ada, grace] = await gather([() => visit(tea, "Ada", ["is somebody here?", "welcome"], 50), late]);
  console.log("Ada heard", ada); // Grace is here, Grace: hello Ada
  console.log("Grace heard", grace); // Ada: is somebody here?, Ada: welcome, Ada is gone
});
