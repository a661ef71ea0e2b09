// A job that writes into a buffer and gives it back, for each peer that can move one.

import { moved } from "meanwhile/workers";
import { move } from "piscina";
import { Tinypool } from "tinypool";

function write(buffer: ArrayBuffer): ArrayBuffer {
  const bytes = new Uint8Array(buffer);
  bytes[0] = (bytes[0] ?? 0) + 1;
  return buffer;
}

export const moving = (buffer: ArrayBuffer): ArrayBuffer => moved(write(buffer));
export const copying = (buffer: ArrayBuffer): ArrayBuffer => write(buffer);
export const movingByPiscina = (buffer: ArrayBuffer): unknown => move(write(buffer));
export const movingByTinypool = (buffer: ArrayBuffer): unknown => Tinypool.move(write(buffer));
