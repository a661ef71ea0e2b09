// `meanwhile run --help`.

export const RUN_HELP: string = `Usage: meanwhile run [options] app.ts [arguments]

Runs a program so that cancellation reaches every await of its own code, inside
of run(): a signal ends it in order, and a program that can never go on says
where it hangs. TypeScript runs as it is. What stands after the file belongs to
the program; its exit code and the signals are passed through.

  --report           at the end, tells on stderr where the program waited, where
                     it was busy, what it could have waited for at once, what
                     it has left behind, and what it was warned of
  --record FILE      writes down everything that happens, for meanwhile trace
                     FILE and meanwhile inspect FILE; the file must not exist
  --inspect          prints the address of a page that shows what the program
                     does, while it does it: see meanwhile inspect --help
  --allow cancel     that page may cancel tasks, and so may meanwhile inspect
                     --allow cancel
  --packages NAMES   packages under node_modules whose awaits count too, like
                     p-map,@acme/*; repeatable
  --no-instrument    leaves the code as it is: only what is of meanwhile can be
                     cancelled
  --no-cache         keeps no transformed files in node_modules/.cache
  --no-diagnostics   does not watch the event loop, and the program cannot be
                     asked by meanwhile ps, pstree, top, trace and inspect
  --debug            debug mode: swallowed cancellations and scopes left open
                     are reported too
  -h, --help         this text
  -V, --version      the version

A function is left alone after a comment // meanwhile:off; a file, if it begins
with // meanwhile:off file. Options of Node itself go into NODE_OPTIONS.

Exit codes: those of the program; 2 wrong usage, 3 the file cannot be used.

Examples
  meanwhile run app.ts
  meanwhile run --report server.ts --port 8080
  meanwhile run --record run.jsonl app.ts
  meanwhile run --inspect app.ts
  NODE_OPTIONS=--inspect meanwhile run app.ts    the debugger of Node
`;
