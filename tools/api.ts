// Writes packages/*/api.md, the public signatures of each package, from its dist/*.d.ts; with --check fails if one is out of date.

import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { type Declared, entriesOf, exportsOf } from "./public-api.ts";
import { filesMatching, report } from "./source.ts";

/** The declaration as written, without comments, `export` and `declare`. */
function signatureOf({ source: { text, parsed }, statement, declaration }: Declared): string {
  const start = declaration.type === "VariableDeclaration" ? statement.start : declaration.start;
  let signature = "";
  let at = start;
  for (const comment of parsed.comments) {
    if (comment.start < at || comment.end > statement.end) continue;
    signature += text.slice(at, comment.start);
    at = comment.end;
  }
  signature += text.slice(at, statement.end);
  return signature
    .replace(/^(export )?(declare )?/, "")
    .replaceAll(/^\s*#private;\n/gm, "")
    .replaceAll(/^\s*\n/gm, "")
    .trimEnd();
}

function apiOf(folder: string): string {
  const parts = [`<!-- Made by \`npm run api\` from the built declarations. -->`];
  for (const { specifier, file } of entriesOf(folder, "types")) {
    const signatures = [...exportsOf(file)].flatMap(([name, declared]) => [
      ...declared.map(signatureOf),
      ...(declared[0]?.name === name ? [] : [`export { ${declared[0]?.name} as ${name} };`]),
    ]);
    parts.push(`# ${specifier}`);
    if (signatures.length > 0) parts.push(["```ts", ...signatures, "```"].join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}

const folders = filesMatching("packages/*/package.json").map((file) => file.slice(0, -"/package.json".length));
if (folders.length === 0) report("No packages here: run this in the root of the repository");
for (const folder of folders) {
  const file = `${folder}/api.md`;
  const api = apiOf(folder);
  const committed = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (committed === api) continue;
  if (process.argv.includes("--check"))
    report(`${file} is out of date: run \`npm run api\` and commit what changed on purpose`);
  else writeFileSync(file, api);
}
