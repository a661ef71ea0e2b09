// Asks the viewer. The token goes into a header, which no other site can send without being asked first, and into nothing else.

import { parseMessage, readRemoteJob, type RemoteJob, type StreamMessage } from "meanwhile/diagnostics";

import { withVisibleTexts } from "./visible.ts";

/** The viewer refuses, or is not there. */
class AnswerError extends Error {
  override readonly name = "AnswerError";
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The viewer is there, and the program is not. */
const GONE = 502;

/** For how long messages may be taken before the page draws again. */
const TURN_MS = 12;

/** The secret of the address, taken out of it so that it stays in no history and under no shoulder. */
export function takeToken(): string {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return token;
}

/** Asks with the token that the address had. */
export class Client {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  /** What the viewer shows, and whether it lets tasks be cancelled. */
  async viewer(): Promise<{ isRecording: boolean; mayCancel: boolean }> {
    const answer: unknown = await (await this.#fetch("/viewer")).json();
    const fields: Readonly<Record<string, unknown>> =
      typeof answer === "object" && answer !== null ? { ...answer } : {};
    const { kind, allow } = fields;
    return { isRecording: kind === "recording", mayCancel: Array.isArray(allow) && allow.includes("cancel") };
  }

  /** Whether the viewer says that nobody is there to be shown any more. */
  async isGone(): Promise<boolean> {
    try {
      await this.#fetch("/v1/hello");
      return false;
    } catch (error) {
      return error instanceof AnswerError && error.status === GONE;
    }
  }

  /** Cancels a task. */
  async cancel(task: number): Promise<void> {
    await this.#fetch(`/v1/cancel?task=${task}`, "POST");
  }

  /** What a task waits for that runs elsewhere; nothing if the program is too old to be asked. */
  async remoteJobs(task: number): Promise<RemoteJob[]> {
    const answer: unknown = await (await this.#fetch(`/v1/remote?task=${task}`)).json();
    const jobs: unknown = typeof answer === "object" && answer !== null && "jobs" in answer ? answer.jobs : [];
    return Array.isArray(jobs) ? jobs.map(readRemoteJob) : [];
  }

  /** The one message of an answer; null if it cannot be understood. */
  async ask(path: string): Promise<StreamMessage | null> {
    const answer = await this.#fetch(path);
    return messageIn(await answer.text());
  }

  /** Hands over every message of a stream, until it ends. */
  async follow(path: string, take: (message: StreamMessage) => void, onTurn: () => void): Promise<void> {
    const { body } = await this.#fetch(path);
    if (body === null) return;
    let rest = "";
    let began = performance.now();
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const message = line === "" ? null : messageIn(line);
        if (message !== null) take(message);
        if (performance.now() - began < TURN_MS) continue;
        onTurn();
        await nextTurn();
        began = performance.now();
      }
      // Nothing more may come for a long time.
      onTurn();
    }
  }

  async #fetch(path: string, method = "GET"): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await fetch(path, { method, headers, cache: "no-store" });
    if (answer.ok) return answer;
    const refusal: unknown = await answer.json().catch(() => null);
    const text = typeof refusal === "object" && refusal !== null && "error" in refusal ? String(refusal.error) : "";
    throw new AnswerError(answer.status, text === "" ? `The viewer answers with the status ${answer.status}` : text);
  }
}

function messageIn(line: string): StreamMessage | null {
  return withVisibleTexts(parseMessage(line), line);
}

/** Lets the browser draw and take input. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(null);
  });
}
