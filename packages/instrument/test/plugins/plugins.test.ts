// The bundler plugins: the same program built with and without them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { Project, PROBE, REGISTER } from "../project.ts";

const NODE_MODULES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));

const probe = (name: string): string => PROBE.replaceAll("probe", name).replace("f1=", "f1");

const FILES: Readonly<Record<string, string>> = {
  "node_modules/dep/package.json": `{ "type": "module", "exports": "./index.js" }`,
  "node_modules/dep/index.js": `export ${probe("dep")}`,
  "node_modules/common/package.json": "{}",
  "node_modules/common/index.js": `exports.common = ${probe("common")}`,
  "own.cjs": "exports.own = async function own() { await 1; return 'own'; };",
  "view.tsx": `
const h = (tag: string, _: unknown, ...children: unknown[]) => ({ tag, children });
export async function view(): Promise<unknown> {
  const name: string = await Promise.resolve("Ada");
  return <p>{name}</p>;
}
`,
  "app.ts": `
import { common } from "common";
import { dep } from "dep";
import { gather, moveOnAfter, run } from "meanwhile";

import { own } from "./own.cjs";
import { view } from "./view.tsx";

enum Color { red = "red" }

async function waits(name: string): Promise<void> {
  try {
    // Without instrumentation nothing could end it.
    await new Promise<void>((resolve) => void (process.argv[2] === "ends" && resolve()));
  } finally {
    console.log("ended", name);
  }
}

async function fails(): Promise<void> {
  await 1;
  throw new Error("on purpose"); // line 22
}

await run(async () => {
  await moveOnAfter(200, () => gather([() => waits("a"), () => waits("b")]));
  console.log(Color.red, JSON.stringify(await view()), await own());
  await fails().catch((error: Error) => console.log(/app\\.ts:\\d+/.exec(error.stack ?? "")?.[0]));
  if (process.argv[3] === "packages") console.log(await dep(), await common());
});
`,
};

const BUILD = `
const external = ["meanwhile", /^@meanwhile\\//, /^node:/];
const [, , bundler] = process.argv;
const { instrument } = await import(\`@meanwhile/instrument/\${bundler}\`);
const seen = [];
const others = (name) => ({ name, transform(code, id) { if (id.endsWith("app.ts")) seen.push(name + (code.includes("__mw") ? " sees it changed" : "")); } });
const builders = {
  async esbuild(outfile, plugins) {
    const { build } = await import("esbuild");
    await build({ entryPoints: ["app.ts"], bundle: true, platform: "node", format: "esm", outfile, sourcemap: true, external: ["meanwhile", "@meanwhile/*"], jsxFactory: "h", plugins });
  },
  async rolldown(file, plugins) {
    const { rolldown } = await import("rolldown");
    const bundle = await rolldown({ input: "app.ts", platform: "node", external, transform: { jsx: { runtime: "classic", pragma: "h" } }, plugins: [others("before"), ...plugins, others("after")] });
    await bundle.write({ file, format: "esm", sourcemap: true });
  },
  async vite(file, plugins) {
    const { build } = await import("vite");
    await build({ configFile: false, logLevel: "error", plugins: [others("before"), ...plugins, others("after")], oxc: { jsx: { runtime: "classic", pragma: "h" } }, ssr: { external: ["meanwhile"], noExternal: ["dep", "common"] }, build: { ssr: "app.ts", outDir: ".", emptyOutDir: false, sourcemap: true, target: "esnext", rolldownOptions: { external, output: { entryFileNames: file } } } });
  },
  async rollup(file, plugins) {
    const { rollup } = await import("rollup");
    const { transform } = await import("esbuild");
    const types = { name: "types", transform: async (code, id) => /\\.tsx?$/.test(id) ? transform(code, { loader: id.split(".").at(-1), jsxFactory: "h", sourcemap: true, sourcefile: id, target: "esnext" }) : null };
    const resolve = { name: "resolve", resolveId: (id) => (id === "dep" ? import.meta.dirname + "/node_modules/dep/index.js" : null) };
    const bundle = await rollup({ input: "app.ts", external: [...external, "common", /own\\.cjs$/], plugins: [resolve, others("before"), ...plugins, others("after"), types] });
    await bundle.write({ file, format: "esm", sourcemap: true });
  },
};
await builders[bundler]("plain.mjs", []);
seen.length = 0;
await builders[bundler]("instrumented.mjs", [instrument()]);
console.log(seen.join(", "));
await builders[bundler]("packages.mjs", [instrument({ packages: ["dep", "common"] })]);
`;

function project(files: Readonly<Record<string, string>> = FILES): Project {
  const made = new Project({ ...files, "build.mjs": BUILD });
  for (const name of ["esbuild", "rolldown", "rollup", "vite"]) {
    made.link(`node_modules/${name}`, `${NODE_MODULES}/${name}`);
  }
  return made;
}

const COMMON = `red {"tag":"p","children":["Ada"]} own\napp.ts:22\n`;
const MAPS = "--enable-source-maps";

for (const [bundler, seen, packages] of [
  ["vite", "before sees it changed, after sees it changed", "true true"],
  ["rolldown", "before, after sees it changed", "true true"],
  ["rollup", "before, after sees it changed", "true false"],
  ["esbuild", "", "true false"],
] as const) {
  describe(`the plugin for ${bundler}`, () => {
    it("makes a bundle that does the same, and can be cancelled everywhere", async () => {
      using made = project();
      const built = await made.node(["build.mjs", bundler]);
      assert.equal(built.exit, 0, built.stderr);
      // Its place among the plugins is the one that types and JSX need.
      assert.equal(built.stdout, `${seen}\n`);
      const plain = await made.node([MAPS, "plain.mjs", "ends"]);
      assert.deepEqual(plain, { exit: 0, stdout: `ended a\nended b\n${COMMON}`, stderr: "" });
      assert.deepEqual(await made.node([MAPS, "instrumented.mjs", "ends"]), plain);
      assert.deepEqual(await made.node([MAPS, "instrumented.mjs"]), plain);
      // The load hook sees that nothing is left to do.
      assert.deepEqual(await made.node([MAPS, ...REGISTER, "instrumented.mjs"]), plain);
    });

    it("leaves packages alone, but for those that are named", async () => {
      using made = project();
      const { stderr } = await made.node(["build.mjs", bundler]);
      const ends: string[] = [];
      for (const name of ["instrumented.mjs", "packages.mjs"]) {
        const { stdout } = await made.node([name, "ends", "packages"]);
        ends.push(stdout.trim().split("\n").at(-1) ?? "");
      }
      assert.deepEqual(ends, ["false false", packages]);
      if (bundler === "esbuild") {
        assert.match(stderr, /MW_WARN_NOT_INSTRUMENTED.*common\/index\.js: it is CommonJS, which esbuild/);
      } else assert.equal(stderr, "");
    });
  });
}

describe("the plugin for vite", () => {
  it("changes what runs on the server, and nothing for browsers", async () => {
    using made = project({
      ...FILES,
      "dev.mjs": `
        import { createServer } from "vite";
        import { instrument } from "@meanwhile/instrument/vite";
        const server = await createServer({
          configFile: false, logLevel: "error", appType: "custom",
          server: { middlewareMode: true, ws: false, hmr: false, watch: null },
          ssr: { external: ["meanwhile", "@meanwhile/instrument"] },
          oxc: { jsx: { runtime: "classic", pragma: "h" } },
          plugins: [instrument()],
        });
        const { view } = await server.ssrLoadModule("/view.tsx");
        const { code } = await server.transformRequest("/view.tsx");
        console.log(view.toString().includes("__mwf1"), (await view()).children, code.includes("__mw"));
        await server.close();`,
    });
    const { stdout, stderr } = await made.node(["dev.mjs"]);
    assert.deepEqual({ stdout, stderr }, { stdout: "true [ 'Ada' ] false\n", stderr: "" });
  });
});
