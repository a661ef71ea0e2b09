// In which order tasks stand on the timeline: as a tree, each below the task it belongs to.

import type { Lane } from "./lane.ts";

/** A line of the timeline. */
export interface LaneRow {
  readonly lane: Lane;
  /** How far below a task that belongs to none: 0 for such ones. */
  readonly depth: number;
  /** How many tasks belong to it, directly. */
  readonly children: number;
}

/** What is to be shown. */
export interface LaneFilter {
  /** Whether a task is shown. Those above it are shown too, so that it stands in its place. */
  readonly shows?: ((lane: Lane) => boolean) | undefined;
  /** Tasks of which those below are not shown. */
  readonly collapsed?: ReadonlySet<number>;
}

/** The tasks as a tree, those made first first. */
export function orderLanes(lanes: ReadonlyMap<number, Lane>, { shows, collapsed }: LaneFilter = {}): LaneRow[] {
  const wanted = shows === undefined ? null : withParents(lanes, shows);
  const children = childrenOf(lanes, wanted);
  const rows: LaneRow[] = [];
  // A stack, not a recursion: a chain of ten thousand tasks is no reason to fail.
  const open = (children.get(0) ?? []).toReversed().map((lane) => ({ lane, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { lane, depth } = next;
    const below = children.get(lane.id) ?? [];
    rows.push({ lane, depth, children: below.length });
    if (collapsed?.has(lane.id) === true) continue;
    for (const child of below.toReversed()) open.push({ lane: child, depth: depth + 1 });
  }
  return rows;
}

function childrenOf(lanes: ReadonlyMap<number, Lane>, wanted: ReadonlySet<number> | null): Map<number, Lane[]> {
  const children = new Map<number, Lane[]>();
  const ids = [...lanes.keys()].toSorted((a, b) => a - b);
  for (const id of ids) {
    const lane = lanes.get(id);
    if (lane === undefined || wanted?.has(id) === false) continue;
    // A parent is older than its child: a damaged file cannot make a circle, whose tasks would be shown nowhere.
    const parent = lane.parent < id && lanes.has(lane.parent) ? lane.parent : 0;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [lane]);
    else siblings.push(lane);
  }
  return children;
}

function withParents(lanes: ReadonlyMap<number, Lane>, shows: (lane: Lane) => boolean): Set<number> {
  const wanted = new Set<number>();
  for (const lane of lanes.values()) {
    if (!shows(lane)) continue;
    for (let at: Lane | undefined = lane; at !== undefined && !wanted.has(at.id);) {
      wanted.add(at.id);
      at = at.parent < at.id ? lanes.get(at.parent) : undefined;
    }
  }
  return wanted;
}
