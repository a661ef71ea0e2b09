// The file a program begins with, loaded by another one: it is the main module all the same.

import type { NodeOf } from "./syntax.ts";
import type { Rules } from "./walk.ts";

export const ENTRY_RULES: Rules = {
  MemberExpression(node, walk) {
    const instead = mainInstead(node);
    if (instead === null) return walk.visitChildren(node);
    const newlines = walk.code.slice(node.start, node.end).replaceAll(/[^\r\n\u2028\u2029]/g, "");
    walk.edits.replace(node.start, node.end, `${instead}${newlines}`);
  },
};

/** What stands for `import.meta.main` and for `require.main`; null for anything else. */
function mainInstead({ object, property, computed }: NodeOf<"MemberExpression">): string | null {
  if (computed || property.name !== "main") return null;
  if (object.type === "MetaProperty" && object.meta.name === "import") return "true";
  return object.type === "Identifier" && object.name === "require" ? "module" : null;
}
