// The file a program begins with, loaded by another one: it is the main module all the same.

import type { Rules } from "./walk.ts";

/** Stands at the beginning in CommonJS: modules that are required afterwards get their `require.main` from the process. */
export const MAIN_MODULE = "process.mainModule=require.main=module;";

export const ENTRY_RULES: Rules = {
  MemberExpression(node, walk) {
    const { object, property, computed } = node;
    if (computed || object.type !== "MetaProperty" || object.meta.name !== "import" || property.name !== "main") {
      return walk.visitChildren(node);
    }
    const newlines = walk.code.slice(node.start, node.end).replaceAll(/[^\r\n\u2028\u2029]/g, "");
    walk.edits.replace(node.start, node.end, `true${newlines}`);
  },
};
