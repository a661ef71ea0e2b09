// The types of the primitives. Checked by `npm run types`, never run.

import { expectTypeOf } from "expect-type";
import { Event, Lock, type Permit, Queue, Semaphore, type Task } from "meanwhile";

expectTypeOf(new Lock().acquire()).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(new Lock().tryAcquire()).toEqualTypeOf<Permit | undefined>();
expectTypeOf(new Lock().statistics().owner).toEqualTypeOf<Task<unknown> | undefined>();
expectTypeOf<Permit>().toExtend<Disposable>();
expectTypeOf(new Semaphore(1).acquire()).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(new Event().wait()).toEqualTypeOf<Promise<void>>();
// @ts-expect-error the number of permits is required
void new Semaphore();
// @ts-expect-error the flag is changed by set() and clear()
new Event().isSet = true;

const queue = new Queue<number>({ maxSize: Infinity });
expectTypeOf(queue.get()).toEqualTypeOf<Promise<number>>();
expectTypeOf(queue.tryGet()).toEqualTypeOf<number>();
expectTypeOf(queue).toExtend<AsyncIterable<number>>();
// @ts-expect-error items have one type
queue.tryPut("text");
// @ts-expect-error maxSize is required
void new Queue<number>({});
// @ts-expect-error maxSize is required
void new Queue<number>();
