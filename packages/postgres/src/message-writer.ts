// Builds what is sent: one or more messages of the protocol, to be written at once.
//
// @see https://www.postgresql.org/docs/current/protocol-message-formats.html

/** What a parameter is sent as: text, bytes, or NULL. */
export type Encoded = string | Uint8Array | null;

/** What a writer that was used for something large does not keep. */
const KEPT_BYTES = 64 * 1024;

const NO_TYPES: ReadonlyArray<number> = [];
const SYNC: Buffer = Buffer.from([0x53, 0, 0, 0, 4]);
const FLUSH: Buffer = Buffer.from([0x48, 0, 0, 0, 4]);
/** Execute the unnamed portal, all rows. */
const EXECUTE_ALL: Buffer = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0]);

/** Collects messages; {@link MessageWriter.take} hands them over and begins anew. */
export class MessageWriter {
  #buffer: Buffer = Buffer.allocUnsafe(1_024);
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** The messages, in bytes that are no longer ours. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(taken, 0, 0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(1_024);
    return taken;
  }

  /** Forgets what was collected beyond a length: its maker has thrown. */
  cut(length: number): void {
    this.#length = Math.min(length, this.#length);
  }

  query(text: string): this {
    const start = this.#open(0x51);
    this.#cstring(text);
    return this.#close(start);
  }

  /** Parse. The server finds out the types of the parameters for which none are given. */
  parse(name: string, text: string, types: ReadonlyArray<number> = NO_TYPES): this {
    const start = this.#open(0x50);
    this.#cstring(name);
    this.#cstring(text);
    this.#int16(types.length);
    for (const oid of types) this.#int32(oid | 0);
    return this.#close(start);
  }

  describeStatement(name: string): this {
    return this.#named(0x44, 0x53, name);
  }

  closeStatement(name: string): this {
    return this.#named(0x43, 0x53, name);
  }

  closePortal(name: string): this {
    return this.#named(0x43, 0x50, name);
  }

  /** Bind, with all results as text. */
  bind(portal: string, statement: string, values: ReadonlyArray<Encoded>): this {
    const start = this.#open(0x42);
    this.#cstring(portal);
    this.#cstring(statement);
    this.#formats(values);
    this.#int16(values.length);
    for (const value of values) this.#value(value);
    this.#int16(0);
    return this.#close(start);
  }

  /** Execute; with `limit` 0 all rows. */
  execute(portal: string, limit: number): this {
    if (portal === "" && limit === 0) return this.add(EXECUTE_ALL);
    const start = this.#open(0x45);
    this.#cstring(portal);
    this.#int32(limit);
    return this.#close(start);
  }

  sync(): this {
    return this.add(SYNC);
  }

  flush(): this {
    return this.add(FLUSH);
  }

  copyData(chunk: Uint8Array | string): this {
    const start = this.#open(0x64);
    if (typeof chunk === "string") this.#text(chunk);
    else this.add(chunk);
    return this.#close(start);
  }

  copyDone(): this {
    return this.#close(this.#open(0x63));
  }

  copyFail(reason: string): this {
    const start = this.#open(0x66);
    this.#cstring(reason);
    return this.#close(start);
  }

  /** Bytes that are complete messages, or part of one. */
  add(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  #named(message: number, kind: number, name: string): this {
    const start = this.#open(message);
    this.#byte(kind);
    this.#cstring(name);
    return this.#close(start);
  }

  /** None means that all are text. */
  #formats(values: ReadonlyArray<Encoded>): void {
    if (!values.some((value) => typeof value === "object" && value !== null)) return this.#int16(0);
    this.#int16(values.length);
    for (const value of values) this.#int16(typeof value === "object" && value !== null ? 1 : 0);
  }

  #value(value: Encoded): void {
    if (value === null) return this.#int32(-1);
    if (typeof value !== "string") {
      this.#int32(value.length);
      this.add(value);
      return;
    }
    const start = this.#length;
    this.#int32(0);
    this.#text(value);
    this.#buffer.writeInt32BE(this.#length - start - 4, start);
  }

  /** The code of a message, and room for its length. */
  #open(code: number): number {
    this.#reserve(5);
    this.#buffer[this.#length] = code;
    this.#length += 5;
    return this.#length - 4;
  }

  #close(start: number): this {
    this.#buffer.writeInt32BE(this.#length - start, start);
    return this;
  }

  #cstring(text: string): void {
    this.#text(text);
    this.#byte(0);
  }

  #text(text: string): void {
    // A unit of UTF-16 takes three bytes at most.
    this.#reserve(text.length < 1_024 ? text.length * 3 : Buffer.byteLength(text));
    this.#length += this.#buffer.write(text, this.#length);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  #int16(value: number): void {
    this.#reserve(2);
    this.#buffer.writeUInt16BE(value, this.#length);
    this.#length += 2;
  }

  #int32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeInt32BE(value, this.#length);
    this.#length += 4;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** The one that operations build their messages with. Whoever takes from it has begun with nothing in it. */
export const writer: MessageWriter = new MessageWriter();
