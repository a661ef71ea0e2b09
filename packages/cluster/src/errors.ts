// Every error of the cluster and every code it uses. A class exists only where callers catch it apart.

/** The stable codes of errors thrown by `@meanwhile/cluster`. */
export type ClusterErrorCode =
  | "MW_ERR_CLUSTER_CLOSED"
  | "MW_ERR_CLUSTER_CONNECT"
  | "MW_ERR_CLUSTER_INVALID_ARGUMENT"
  | "MW_ERR_CLUSTER_NOT_SENDABLE"
  | "MW_ERR_CLUSTER_QUEUE_FULL"
  | "MW_ERR_CLUSTER_REFUSED"
  | "MW_ERR_CLUSTER_RESULT_LOST"
  | "MW_ERR_CLUSTER_TOO_LARGE"
  | "MW_ERR_CLUSTER_UNKNOWN_FUNCTION"
  | "MW_ERR_CLUSTER_UNREACHABLE"
  | "MW_ERR_CLUSTER_WORKER_LOST";

/**
 * A job could not be carried out by the workers of a queue. What its function throws is no such error: it is thrown as it is.
 * `code` tells them apart.
 */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  /** Stable code of the error. */
  readonly code: ClusterErrorCode;

  /** @internal */
  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Who has run a job. On every error that came from a worker, as `error.worker`. */
export interface WorkerIdentity {
  /** Its own name: different for each worker, also of one process. */
  readonly id: string;
  /** The name of its machine. */
  readonly host: string;
  /** The number of its process. */
  readonly pid: number;
}
