// Values on their way between processes, as bytes. They arrive as structured clone would have copied them, so both kinds of
// pool give the same results. The channel of Node would not do that: its typed arrays are views of the whole message, and what it
// does not know arrives as an empty object.

import * as v8 from "node:v8";

import { isPooled, refuseForeign } from "./foreign-values.ts";
import { CloneError } from "./gone-values.ts";

type View = ArrayBufferView<ArrayBuffer>;
type ViewClass = new (buffer: ArrayBuffer, offset: number, length: number) => View;

const VIEWS = [
  BigInt64Array,
  BigUint64Array,
  DataView,
  Float32Array,
  Float64Array,
  Int16Array,
  Int32Array,
  Int8Array,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
] as ViewClass[];
if (typeof Float16Array === "function") VIEWS.push(Float16Array);

// How a view stands in the bytes, if it was not left to V8.
const OF_BUFFER = 0; // class, offset, length in elements, then the buffer
const BYTES = 1; // class, count of bytes, the bytes

/** What the types do not know of a serializer. */
interface ViewWriter {
  _setTreatArrayBufferViewsAsHostObjects(flag: boolean): void;
}

/** Writes as V8 does, but of a small `Buffer` its own part of the memory alone that it shares with others. */
class Writer extends v8.Serializer {
  writeAll(value: unknown, hasPooled: boolean): Uint8Array {
    if (hasPooled) (this as unknown as ViewWriter)._setTreatArrayBufferViewsAsHostObjects(true);
    this.writeHeader();
    this.writeValue(value);
    return this.releaseBuffer();
  }

  /** Called by V8 for each view, and for objects of native code. */
  _writeHostObject(view: View): void {
    const index = VIEWS.findIndex((known) => view instanceof known);
    if (index === -1) throw new CloneError(`${Object.prototype.toString.call(view)} could not be cloned`);
    const pooled = isPooled(view.buffer);
    this.writeUint32(pooled ? BYTES : OF_BUFFER);
    this.writeUint32(index);
    if (pooled) {
      this.writeUint32(view.byteLength);
      this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    } else {
      this.writeDouble(view.byteOffset);
      this.writeDouble(view.byteLength / elementSize(view));
      this.writeValue(view.buffer);
    }
  }
}

class Reader extends v8.Deserializer {
  readAll(): unknown {
    this.readHeader();
    return this.readValue();
  }

  /** Called by V8 for what {@link Writer} has written itself. */
  _readHostObject(): View {
    const kind = this.readUint32();
    const known = VIEWS[this.readUint32()] as ViewClass;
    if (kind === OF_BUFFER) {
      const offset = this.readDouble();
      const length = this.readDouble();
      return new known(this.readValue() as ArrayBuffer, offset, length);
    }
    const size = this.readUint32();
    const { buffer } = new Uint8Array(this.readRawBytes(size));
    return new known(buffer, 0, size / elementSize(known.prototype));
  }
}

function elementSize(view: object): number {
  return "BYTES_PER_ELEMENT" in view ? Number(view.BYTES_PER_ELEMENT) : 1;
}

// Bun has neither class; there the functions of V8's name clone as they should.
const isOurs = process.versions["bun"] === undefined;

/** Makes bytes of a value; throws, if something in it cannot be cloned or belongs to its process. */
export function writeValue(value: object): Uint8Array {
  return writeData(value, refuseForeign(value));
}

/** Makes bytes of what is known to be data; with views of the memory that small Buffers share only if that is said. */
export function writeData(value: object, hasPooled = false): Uint8Array {
  return isOurs ? new Writer().writeAll(value, hasPooled) : v8.serialize(value);
}

/** The value of which these are the bytes; nothing of it lies in them. */
export function readValue(bytes: Uint8Array): unknown {
  return isOurs ? new Reader(bytes).readAll() : v8.deserialize(bytes);
}

/** A message of which these are the bytes; null if it is nested too deep to be read, though it was not to be written. */
export function readMessage(bytes: Uint8Array): readonly unknown[] | null {
  try {
    return readValue(bytes) as unknown[];
  } catch {
    return null;
  }
}
