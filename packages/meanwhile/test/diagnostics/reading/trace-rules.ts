// What Perfetto's importer of JSON traces wants: every breach would be an error in its statistics, or a slice it drops.

/** An event as it stands in the file. */
export interface WrittenEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly id?: string;
  readonly cat?: string;
  readonly s?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A trace as it stands in the file. */
export interface WrittenTrace {
  readonly traceEvents: readonly WrittenEvent[];
  readonly displayTimeUnit: string;
}

/** What would not be imported; empty for a good trace. */
export function breachesIn({ traceEvents }: WrittenTrace): string[] {
  return [...traceEvents.flatMap(breachesOf), ...breachesOfSpans(traceEvents), ...breachesOfSlices(traceEvents)];
}

function breachesOf(event: WrittenEvent): string[] {
  const isNumber = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
  const text = JSON.stringify(event);
  return [
    ...(isNumber(event.ts) && isNumber(event.pid) && isNumber(event.tid) ? [] : [`numbers: ${text}`]),
    ...("MXbenniC".includes(event.ph) && event.ph.length === 1 ? [] : [`phase: ${text}`]),
    ...(event.ph === "X" && !isNumber(event.dur) ? [`duration: ${text}`] : []),
    ...("ben".includes(event.ph) && (event.id === undefined || event.cat === undefined) ? [`id: ${text}`] : []),
    ...(event.ph === "i" && event.s !== "p" ? [`scope: ${text}`] : []),
    ...(event.ph === "C" && !Object.values(event.args ?? {}).every(Number.isFinite) ? [`counter: ${text}`] : []),
  ];
}

/** Spans of one id and category nest, and each is closed by an end of its name. */
function breachesOfSpans(events: readonly WrittenEvent[]): string[] {
  const breaches: string[] = [];
  const open = new Map<string, string[]>();
  for (const event of sortedByTime(events.filter(({ ph }) => "ben".includes(ph)))) {
    const key = `${event.cat}:${event.id}`;
    const names = open.get(key) ?? [];
    open.set(key, names);
    if (event.ph === "b") names.push(event.name);
    else if (event.ph === "e" && names.pop() !== event.name) breaches.push(`misplaced end: ${JSON.stringify(event)}`);
    else if (event.ph === "n" && names.length === 0) breaches.push(`moment outside: ${JSON.stringify(event)}`);
  }
  for (const [key, names] of open) if (names.length > 0) breaches.push(`never ended: ${key} ${names.join(", ")}`);
  return breaches;
}

/** Slices of one row do not overlap: one inside another would be a call. Only one without a length may stand anywhere. */
function breachesOfSlices(events: readonly WrittenEvent[]): string[] {
  const breaches: string[] = [];
  const ends = new Map<number, number>();
  for (const event of sortedByTime(events.filter(({ ph }) => ph === "X"))) {
    if (event.dur === 0) continue;
    if (event.ts < (ends.get(event.tid) ?? 0)) breaches.push(`overlap: ${JSON.stringify(event)}`);
    ends.set(event.tid, event.ts + (event.dur ?? 0));
  }
  return breaches;
}

/** As the importer does it: by time, and else as they stand in the file. */
function sortedByTime(events: readonly WrittenEvent[]): WrittenEvent[] {
  return events.toSorted((a, b) => a.ts - b.ts);
}
