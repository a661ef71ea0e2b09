// `meanwhile worker --help`.

export const WORKER_HELP: string = `Usage: meanwhile worker --connect URL [options] module.ts
       meanwhile worker --connect URL [options] --fetch

Serves the functions that a module exports to the clients of a queue: programs
that call them with connectCluster() of @meanwhile/cluster. They run in threads
of this machine; start as many workers, on as many machines, as there is work.
TypeScript runs as it is.

  --connect URL      the queue's server: redis:, rediss:, postgres: or
                     postgresql:; default: what MEANWHILE_CLUSTER_URL holds,
                     which other users of the machine cannot see
  --fetch            makes requests for meanwhile fetch --cluster, 50 at once,
                     instead of serving a module
  --queue NAME       the queue; default: the file name without its ending
  --concurrency N    jobs at once; default: the number of cores
  --threads N        in so many threads; default: one for each job, but no more
                     than cores
  --processes        in processes instead of threads, for functions that may
                     crash
  --function NAME    only this function may be called; repeatable; default: all
                     the module exports
  --max-payload SIZE how long the arguments of a job may be; default: 1MiB
  --max-result SIZE  how long its result may be; default: 1MiB
  --max-losses N     how many workers a job may lose before it fails; default: 4
  --lost-after SECS  a worker that is not heard of for so long loses its jobs;
                     the same for all workers and clients of a queue; default:
                     30
  --drain SECS       how long jobs may take to end after a signal; what still
                     runs is cancelled then, and goes back into the queue;
                     default: 30
  --diagnostics      meanwhile pstree of a client shows what its jobs wait for
                     here, and where; the module runs instrumented for that
  -h, --help         this text
  -V, --version      the version

With a secret in MEANWHILE_CLUSTER_SECRET it takes only jobs signed with that,
and signs their results. It calls functions by the names the module exports;
nothing that comes over the queue loads code.

A signal lets it take no new jobs, and ends it when those it has are done; a
second one ends it at once, and its jobs begin again elsewhere.

Exit codes: 2 wrong usage, 3 the module or the server cannot be used, 130 and
143 after a signal.

Examples
  meanwhile worker --connect redis://10.0.0.5 --concurrency 8 math.ts
  MEANWHILE_CLUSTER_URL=postgres://app@db/app meanwhile worker math.ts
`;
