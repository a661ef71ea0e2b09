// The public API of @meanwhile/cluster: this list is it.

export type { Cluster, ClusterJobOptions, ClusterStatistics } from "./cluster.ts";
export { connectCluster } from "./connect.ts";
export { ClusterError, type ClusterErrorCode, type WorkerIdentity } from "./errors.ts";
export type { ClusterOptions, QueueOptions } from "./options.ts";
export { type ClusterWorker, type ClusterWorkerStatistics, serveCluster } from "./serve.ts";
export type { ServeOptions } from "./serve-options.ts";
