// As whom a server runs. PostgreSQL refuses to run as root, so that a program of root's hands it to a user without rights.

import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Options of `spawn`, and what files are given to; empty where the server runs as the program does. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

// What most systems call nobody.
const NOBODY = { uid: 65_534, gid: 65_534 };

/** Who runs a server. A data directory that is somebody's already stays theirs. */
export function identityFor(dataDir: string | null): Identity {
  if (process.getuid?.() !== 0) return {};
  const stats = dataDir === null ? undefined : statSync(dataDir, { throwIfNoEntry: false });
  if (stats !== undefined && stats.uid !== 0) return { uid: stats.uid, gid: stats.gid };
  return nobody();
}

function nobody(): Identity {
  try {
    const [, uid, gid] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(readFileSync("/etc/passwd", "utf8")) ?? [];
    return uid === undefined ? NOBODY : { uid: Number(uid), gid: Number(gid) };
  } catch {
    return NOBODY;
  }
}

/** Whether somebody may look up what lies in the directory; only asked for somebody else than ourselves. */
export function canReach(directory: string, { uid, gid }: Identity): boolean {
  if (uid === undefined) return true;
  for (let at = directory; ; at = dirname(at)) {
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats === undefined || (stats.mode & executableBit(stats, uid, gid)) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function executableBit(stats: { uid: number; gid: number }, uid: number, gid: number | undefined): number {
  if (stats.uid === uid) return 0o100;
  return stats.gid === gid ? 0o010 : 0o001;
}
