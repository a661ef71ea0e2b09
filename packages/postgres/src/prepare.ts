// Prepares a statement for somebody who holds it, and lets it go.

import { writer } from "./message-writer.ts";
import { Operation } from "./operation.ts";
import { StatementOperation } from "./statement-operation.ts";
import type { Statement } from "./statement.ts";
import { unreadable } from "./value-errors.ts";
import type { Wire } from "./wire.ts";

/** Comes to a statement that lasts until it is let go, or the connection ends. It is what operations take as `held`. */
export class Prepare extends StatementOperation<Statement> {
  protected override readonly isToBeHeld = true;

  constructor(text: string) {
    // Something, so that the types of its parameters are waited for.
    super(text, ["any"]);
  }

  /** It is prepared already. Nothing needs to be sent, but who waits must be told by the server that it is ready. */
  protected override execute(wire: Wire): void {
    this.isSynced = true;
    wire.write(writer.sync().take());
  }

  override result(): Statement {
    // A statement without a description cannot have been prepared without an error.
    if (this.statement === null) throw unreadable("the server did not describe the statement");
    this.statement.holders += 1;
    return this.statement;
  }
}

/** Lets a held statement go. Comes to nothing. */
export class LetGo extends Operation<void> {
  readonly #statement: Statement;

  constructor(statement: Statement) {
    super(`deallocate ${statement.name}`);
    this.#statement = statement;
  }

  protected override send(wire: Wire): void {
    wire.statements.letGo(this.#statement);
    wire.statements.tellForgotten(writer);
    wire.write(writer.sync().take());
  }

  override result(): void {}
}
