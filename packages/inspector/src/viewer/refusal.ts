// A request that is not answered: with which status, and why.

/** Ends a request with a status and a text. */
export class RefusedRequest extends RangeError {
  override readonly name = "RefusedRequest";
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
