// `try`: the frame is told when an error or the end of a block brings its function back, and which of its code is cleanup.

import type { BlockStatement } from "oxc-parser";

import type { Rules, Walk } from "./walk.ts";

export const CLEANUP_RULES: Rules = {
  TryStatement({ block, handler, finalizer }, walk) {
    const { frame, cleanupDepth } = walk.owner;
    if (frame === undefined) return walk.visitAll([block, handler, finalizer]);
    if (cleanupDepth === 0) walk.insert(block.start + 1, `${frame}.c=0;`);
    walk.visit(block);
    if (handler !== null) {
      if (handler.param !== null) walk.visit(handler.param);
      visitCleanup(handler.body, frame, walk);
    }
    if (finalizer !== null) visitCleanup(finalizer, frame, walk);
  },
};

function visitCleanup(block: BlockStatement, frame: string, walk: Walk): void {
  walk.insert(block.start + 1, `${walk.words.runtime}.c(${frame});${frame}.c=1;`);
  walk.owner.cleanupDepth += 1;
  walk.visitAll(block.body);
  walk.owner.cleanupDepth -= 1;
  // The last statement may lack its semicolon.
  if (walk.owner.cleanupDepth === 0) walk.insert(block.end - 1, `;${frame}.c=0;`);
}
