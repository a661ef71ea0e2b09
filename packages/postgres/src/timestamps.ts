// Moments, as the server writes them with DateStyle ISO.

import { UnsuitableValue, unreadable } from "./value-errors.ts";

const FORM = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/** A `Date`; what the server calls `infinity` is the number. */
export function parseTimestamp(text: string): Date | number {
  if (text === "infinity") return Infinity;
  if (text === "-infinity") return -Infinity;
  const found = FORM.exec(text);
  if (found === null)
    throw unreadable("a timestamp is not in the form of DateStyle ISO; is 'DateStyle' set to another one?");
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = "",
    sign,
    zoneHours,
    zoneMinutes = "0",
    zoneSeconds = "0",
    isBefore,
  ] = found;
  const date = new Date(0);
  // There is no year 0: the one before 1 is 1 BC.
  date.setUTCFullYear(isBefore === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, "0").slice(0, 3)));
  const offset = (Number(zoneHours) * 3_600 + Number(zoneMinutes) * 60 + Number(zoneSeconds)) * 1_000;
  const time = date.getTime() - (sign === "-" ? -offset : offset);
  if (Number.isNaN(new Date(time).getTime())) throw unreadable("a timestamp does not fit into a Date");
  return new Date(time);
}

/** For `timestamptz`: in UTC, so that no time zone of anybody matters. */
export function encodeDate(date: Date): string {
  return encodeUtcTimestamp(date).replace(/( BC)?$/, "+00$1");
}

/** For `timestamp`, read as UTC. */
export function encodeUtcTimestamp(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === Infinity || value === -Infinity) return endlessText(value);
  const { day, time, era } = partsOf(value, "timestamp");
  return `${day} ${time}${era}`;
}

/** For `date`: the day in UTC. */
export function encodeUtcDate(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === Infinity || value === -Infinity) return endlessText(value);
  const { day, era } = partsOf(value, "date");
  return `${day}${era}`;
}

/** What the server calls before or after all days. */
export function endlessText(value: number): string {
  return value > 0 ? "infinity" : "-infinity";
}

function partsOf(value: unknown, type: string): { day: string; time: string; era: string } {
  if (!(value instanceof Date)) throw new UnsuitableValue(value, type, "a Date, a string, or Infinity");
  if (Number.isNaN(value.getTime())) throw new UnsuitableValue(value, type, "a Date that is valid");
  const year = value.getUTCFullYear();
  const [, rest = ""] = /^(?:[+-]\d{6}|\d{4})(-\d\d-\d\d)T/.exec(value.toISOString()) ?? [];
  const time = value.toISOString().replace(/^.*T/, "").replace("Z", "");
  const era = year > 0 ? "" : " BC";
  return { day: `${String(year > 0 ? year : 1 - year).padStart(4, "0")}${rest}`, time, era };
}
