// Sockets, and timers that outlive a call, are made in here: they must not keep the scope that caused them.

import { captureContext } from "meanwhile/lowlevel";

/** Runs a callback outside of every scope. */
export const inRootContext: <R>(callback: () => R) => R = captureContext();
