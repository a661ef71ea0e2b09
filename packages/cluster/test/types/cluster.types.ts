// What a cluster takes and gives, as the module says it.

import type { Cluster } from "@meanwhile/cluster";
import { expectTypeOf } from "expect-type";

interface Module {
  add(a: number, b: number): number;
  load(id: string): Promise<{ name: string }>;
  readonly version: string;
}

declare const cluster: Cluster<Module>;

expectTypeOf(cluster.call("add", 1, 2)).toEqualTypeOf<Promise<number>>();
expectTypeOf(cluster.call("load", "x")).toEqualTypeOf<Promise<{ name: string }>>();
expectTypeOf(cluster.map("load", ["x"]).toArray()).toEqualTypeOf<Promise<Array<{ name: string }>>>();
expectTypeOf(cluster.start("add", [1, 2], { idempotencyKey: "k" })).toExtend<PromiseLike<number>>();

// @ts-expect-error -- it is no function
void cluster.call("version");
// @ts-expect-error -- there is none of that name
void cluster.call("subtract", 1, 2);
// @ts-expect-error -- it takes numbers
void cluster.call("add", "1", 2);
// @ts-expect-error -- nothing can be moved to another machine
void cluster.start("add", [1, 2], { transfer: [] });
