// Statements without arguments, one or many in a text, run as they are: nothing is prepared, and several are one transaction.

import { type CommandResult, parseTag } from "./command-tag.ts";
import { writer } from "./message-writer.ts";
import { Operation } from "./operation.ts";
import type { Wire } from "./wire.ts";

/** Comes to what the server says of the last command. */
export class Script extends Operation<CommandResult> {
  #tag = "";

  protected override send(wire: Wire): void {
    wire.write(writer.query(this.text).take());
  }

  override handleCommandComplete(message: { readonly text: string }): void {
    this.#tag = message.text;
    super.handleCommandComplete(message);
  }

  // COPY needs somebody who reads or writes.
  override handleCopyInResponse(): void {
    this.wire?.write(writer.copyFail("COPY FROM STDIN needs copyFrom()").take());
  }

  override result(): CommandResult {
    return parseTag(this.#tag);
  }
}
