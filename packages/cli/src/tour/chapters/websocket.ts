// A chat of three, one of whom does not listen, and a line that breaks and comes back.

import {
  connect,
  type Connection,
  ConnectionClosedError,
  reconnecting,
  serve,
  type Server,
} from "@meanwhile/websocket";
import { fixed, gather, moveOnAfter, sleep } from "meanwhile";

import { formatBytes } from "../../output/format.ts";
import type { Chapter } from "../chapter.ts";
import { Laps } from "../laps.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

async function startChat(): Promise<Server> {
  const server = await serve(async (socket) => {
    for await (const message of socket) {
      server.broadcast(message, { except: socket });
    }
  });
  return server;
}

async function listen(socket: Connection) {
  return moveOnAfter(100, () => socket.recv());
}

async function pour(socket: Connection, megabyte: Uint8Array) {
  let sent = 0;
  await moveOnAfter(150, async () => {
    for (;;) {
      await socket.send(megabyte); // waits for who does not receive
      sent += megabyte.length;
    }
  });
  return sent;
}

async function follow(url: string, laps: Laps) {
  const heard: string[] = [];
  for await (const socket of reconnecting(url, { backoff: fixed(50) })) {
    using _ = laps.start(`connection ${laps.all.length + 1}`);
    try {
      for await (const message of socket) heard.push(String(message));
      return heard;
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
      heard.push("(lost)");
    }
  }
  return heard;
}

async function play(stage: Stage): Promise<void> {
  await playChat(stage);
  await playFlow(stage);
  await playReturn(stage);
}

async function playChat(stage: Stage): Promise<void> {
  await using server = await startChat();
  const open = (): Promise<Connection> => connect(server.url);
  const [ada, grace, emmy] = await gather([open, open, open]);
  stage.say("Each connection is a task of the server. What one sends, the others hear:");
  stage.code(codeOf(import.meta.url, ["startChat", "listen"]));
  await ada.send("hello from Ada");
  const [own, second, third] = await gather([() => listen(ada), () => listen(grace), () => listen(emmy)]);
  stage.line(`Grace: ${String(second)}, Emmy: ${String(third)}`);
  stage.line(`Ada: ${own === undefined ? "nothing in 100 ms" : String(own)}`);
  stage.space();
}

async function playFlow(stage: Stage): Promise<void> {
  // Until the tour lets it go: it receives nothing.
  await using server = await serve(() => sleep(60_000), { drainMs: 1, pingIntervalMs: null });
  await using socket = await connect(server.url, { compression: "off", closeTimeoutMs: 50 });
  stage.say("A peer that does not receive stops whoever sends to it, instead of filling memory:");
  stage.code(codeOf(import.meta.url, ["pour"]));
  const laps = new Laps();
  let sent = 0;
  {
    using _ = laps.start("send, send");
    sent = await pour(socket, new Uint8Array(1_000_000));
  }
  stage.bars(laps.all, laps.totalMs);
  stage.belowBar(`${formatBytes(sent)} fit into the network; the next one waited`);
  stage.space();
}

async function playReturn(stage: Stage): Promise<void> {
  let visits = 0;
  await using server = await serve(async (socket) => {
    visits += 1;
    await socket.send(`visit ${visits}`);
    await sleep(60);
    if (visits < 3) socket.terminate(); // as a network that breaks
  });
  stage.say("A line that breaks comes back by itself:");
  stage.code(codeOf(import.meta.url, ["follow"]));
  const laps = new Laps();
  const heard = await follow(server.url, laps);
  stage.bars(laps.all, laps.totalMs);
  stage.belowBar(heard.join(", "));
  stage.result("Every connection ends with its block, and nobody is faster than who listens.");
}

/** A chapter about WebSockets. */
export const websocketChapter: Chapter = {
  title: "A conversation: WebSockets",
  moduleUrl: import.meta.url,
  play,
};
