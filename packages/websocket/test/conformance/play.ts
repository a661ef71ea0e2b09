// Plays a case against an endpoint that echoes: sends its frames, and compares what comes back and what its program saw.

import assert from "node:assert/strict";

import type { ConnectionClosedError } from "../../src/errors.ts";
import type { Case, Ending, Message } from "./case.ts";
import { agreedFor, Inflater } from "./deflating.ts";
import type { Seen, Wire } from "./echo.ts";
import type { RawPeer } from "./raw-peer.ts";
import {
  BINARY,
  CLOSE,
  closePayload,
  CONTINUATION,
  encode,
  PING,
  PONG,
  type ReceivedFrame,
  RSV1,
  TEXT,
} from "./wire.ts";

/** What came back over the wire. */
interface Answer {
  readonly messages: Message[];
  readonly pongs: Buffer[];
  /** How many of the messages were compressed. */
  compressed: number;
  /** The payload of its close frame; null if there was none. */
  close: Buffer | null;
}

const GOOD_BYE: Ending = { code: 1000, by: "peer" };
const CLEAN = new Set([1000, 1001, 1005]);

/** Plays a case over a connection that is open. */
export async function play(
  { frames, messages = [], pongs = [], ends, isCompressed = false }: Case,
  { peer, extensions, seen }: Wire,
  byteByByte: boolean,
): Promise<void> {
  const answer: Answer = { messages: [], pongs: [], compressed: 0, close: null };
  const bytes = Buffer.concat(frames.map((frame) => encode(frame, peer.side)));
  const reading = readAnswers(peer, extensions, answer, () => {
    const isAllThere = answer.messages.length >= messages.length && answer.pongs.length >= pongs.length;
    if (ends === undefined && isAllThere) sendClose(peer);
  });
  if (byteByByte) await peer.writeByteByByte(bytes);
  else peer.write(bytes);
  if (ends === undefined && messages.length + pongs.length === 0) sendClose(peer);
  await reading;
  compareProgram(await seen, messages, ends ?? GOOD_BYE);
  compareWire(answer, messages, pongs, ends);
  assert.ok(!isCompressed || answer.compressed > 0, "it compresses");
}

function sendClose(peer: RawPeer): void {
  peer.write(encode({ opcode: CLOSE, payload: closePayload(1000), fin: true, rsv: 0 }, peer.side));
}

/** Reads to the end of the connection, and does what a peer must: answers a close frame, and lets a server end it. */
async function readAnswers(
  peer: RawPeer,
  extensions: string | undefined,
  answer: Answer,
  onAnswer: () => void,
): Promise<void> {
  const agreed = agreedFor(peer.side === "client" ? "server" : "client", extensions);
  const inflater = agreed === null ? null : new Inflater(agreed);
  let open: ReceivedFrame[] = [];
  for (let frame = await peer.next(); frame !== null; frame = await peer.next()) {
    assert.equal(frame.isMasked, peer.side === "server", "its frames are masked as they must be");
    assert.equal(answer.close, null, "nothing comes after its close frame");
    if (frame.opcode === CLOSE) {
      answer.close = frame.payload;
      // Its own close frame may have been sent already: an endpoint passes over a second one.
      peer.write(encode({ ...frame, rsv: 0 }, peer.side));
      peer.socket.end();
    } else if (frame.opcode === PONG) answer.pongs.push(frame.payload);
    else if (frame.opcode !== PING) open = takeData(frame, open, inflater, answer);
    onAnswer();
  }
  peer.socket.end();
}

function takeData(
  frame: ReceivedFrame,
  open: ReceivedFrame[],
  inflater: Inflater | null,
  answer: Answer,
): ReceivedFrame[] {
  assert.equal(frame.opcode === CONTINUATION, open.length > 0, "its fragments follow each other");
  const whole = [...open, frame];
  if (!frame.fin) return whole;
  const [first = frame] = whole;
  const sent = Buffer.concat(whole.map(({ payload }) => payload));
  const isCompressed = (first.rsv & RSV1) !== 0;
  assert.ok(!isCompressed || inflater !== null, "nothing is compressed unless that was agreed on");
  const payload = isCompressed && inflater !== null ? inflater.read(sent) : sent;
  if (isCompressed) answer.compressed += 1;
  assert.ok(first.opcode === TEXT || first.opcode === BINARY);
  answer.messages.push(first.opcode === TEXT ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(payload) : payload);
  return [];
}

function compareProgram(seen: Seen, messages: readonly Message[], { code, reason, by }: Ending): void {
  assert.deepEqual(seen.messages.map(comparable), messages.map(comparable), "the program gets these messages");
  assert.deepEqual([seen.closed.code, seen.closed.by], [code, by], "the program is told how it ended");
  if (reason !== undefined) assert.equal(seen.closed.reason, reason);
  if (CLEAN.has(code) && by === "peer") assert.equal(seen.error, null, "its loop ends by itself");
  else {
    const error = seen.error as ConnectionClosedError;
    assert.deepEqual([error?.name, error?.code], ["ConnectionClosedError", "MW_ERR_WS_CLOSED"]);
  }
}

function compareWire(
  answer: Answer,
  messages: readonly Message[],
  pongs: ReadonlyArray<string | Buffer>,
  ends: Ending | undefined,
): void {
  // Who ends a connection has no use for echoes and pongs any more: as many as were sent are right.
  const isWell = ends === undefined;
  const echoed = isWell ? messages : messages.slice(0, answer.messages.length);
  assert.deepEqual(answer.messages.map(comparable), echoed.map(comparable), "it echoes the messages");
  const wanted = isWell ? pongs : pongs.slice(0, answer.pongs.length);
  assert.deepEqual(
    answer.pongs,
    wanted.map((payload) => Buffer.from(payload)),
    "it answers pings",
  );
  const { code, sends = code } = ends ?? GOOD_BYE;
  assert.deepEqual(codeOf(answer.close), sends === null ? "no code" : sends, "its close frame has this code");
}

function codeOf(payload: Buffer | null): number | string {
  if (payload === null) return "no close frame";
  return payload.length === 0 ? "no code" : payload.readUInt16BE(0);
}

/** Long messages would make the report of a difference unreadable, and slow. */
function comparable(message: Message): string {
  const [kind, shown] =
    typeof message === "string" ? ["text", message] : ["bytes", Buffer.from(message).toString("hex")];
  return shown.length <= 200 ? `${kind} ${shown}` : `${kind} of ${shown.length}: ${hashOf(shown)}`;
}

function hashOf(shown: string): number {
  let hash = 0;
  for (let at = 0; at < shown.length; at += 1) hash = (Math.imul(hash, 31) + shown.charCodeAt(at)) | 0;
  return hash;
}
