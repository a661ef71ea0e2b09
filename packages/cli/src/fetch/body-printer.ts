// Prints the body of the only URL, as curl does.

import { CommandError, EXIT } from "../errors.ts";
import { escapeControls } from "../output/escape.ts";
import { writeAll } from "../output/write-all.ts";

const STDOUT = 1;

export class BodyPrinter {
  readonly #isTerminal: boolean;
  readonly #decoder = new TextDecoder();
  #hasBegun = false;

  /** @param isTerminal - whether control characters must be shown instead of sent */
  constructor(isTerminal: boolean) {
    this.#isTerminal = isTerminal;
  }

  /** Whether something is printed already: then there is no second attempt. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * Prints a part of the body.
   *
   * Cancellation: ends it anywhere in the part.
   *
   * @throws {@link CommandError} with exit code 141 if nobody reads stdout any more; with 3 if it cannot be written, or is
   * a terminal and the body no text
   */
  async write(chunk: Uint8Array): Promise<void> {
    this.#hasBegun = true;
    if (!this.#isTerminal) {
      await writeAll(STDOUT, "stdout", chunk);
      return;
    }
    if (chunk.includes(0)) {
      const what = "the body is not text, and stdout is a terminal; save it with -o DIR, or redirect stdout";
      throw new CommandError(EXIT.notStarted, what);
    }
    return this.#show(this.#decoder.decode(chunk, { stream: true }));
  }

  /**
   * Says that the body is complete.
   *
   * Cancellation: as in {@link write}.
   */
  async end(): Promise<void> {
    if (this.#isTerminal) await this.#show(this.#decoder.decode());
  }

  /** Text with its lines and tabs, but without what speaks to the terminal. */
  async #show(text: string): Promise<void> {
    const shown = text.replaceAll("\r\n", "\n").replaceAll(/[^\n\t]+/g, escapeControls);
    await writeAll(STDOUT, "stdout", Buffer.from(shown));
  }
}
