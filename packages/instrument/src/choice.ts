// Which files are instrumented: those of the program, and those of packages that were asked for.

/** The package a file under `node_modules` belongs to; null for one of the program. */
function packageOf(url: string): string | null {
  const at = url.lastIndexOf("/node_modules/");
  if (at === -1) return null;
  const [first = "", second = ""] = url.slice(at + "/node_modules/".length).split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** Whether the file at a URL is instrumented. */
export function chooses(url: string, packages: readonly string[]): boolean {
  if (!/^(?:file|data|blob):/.test(url) || isRuntime(url)) return false;
  const name = packageOf(url);
  if (name === null) return true;
  return packages.some((wanted) => wanted === name || (wanted.endsWith("/*") && name.startsWith(wanted.slice(0, -1))));
}

// Linked, or in its own repository, the runtime is no package under node_modules; who loads this may see the sources of it,
// and a bundler what was built.
const OWN = [import.meta.url, import.meta.resolve("meanwhile/lowlevel")].map((url) =>
  url.replace(/(.*\/)(?:src|dist)\/.*/, "$1"),
);

function isRuntime(url: string): boolean {
  return OWN.some((folder) => url.startsWith(`${folder}src/`) || url.startsWith(`${folder}dist/`));
}
