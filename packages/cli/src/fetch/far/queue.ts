// Where the requests of `meanwhile fetch --cluster` wait for `meanwhile worker --fetch`.

/** The name of the queue. */
export const FETCH_QUEUE = "meanwhile-fetch";
