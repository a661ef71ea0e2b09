// The types of coroutines and of run: what is inferred, and what the compiler refuses.

import { expectTypeOf } from "expect-type";
import { allTasks, type Coroutine, coroutine, createTask, currentTask, run, type Task } from "meanwhile";

const fetchUser = coroutine(async (id: number, verbose?: boolean) => ({ id, verbose }));
expectTypeOf(fetchUser).parameters.toEqualTypeOf<[id: number, verbose?: boolean | undefined]>();
expectTypeOf(fetchUser(1)).toEqualTypeOf<Coroutine<{ id: number; verbose: boolean | undefined }>>();
// A promise to linters, so that a forgotten one is reported.
expectTypeOf(fetchUser(1)).toExtend<Promise<{ id: number; verbose: boolean | undefined }>>();
expectTypeOf(coroutine(() => 5)()).toEqualTypeOf<Coroutine<number>>();
expectTypeOf(await fetchUser(1)).toEqualTypeOf<{ id: number; verbose: boolean | undefined }>();

// @ts-expect-error the arguments are checked
fetchUser("1");
// @ts-expect-error a promise is not a function
coroutine(Promise.resolve());

class Account {
  balance = 3;
  readonly add = coroutine(async function add(this: Account, amount: number) {
    return this.balance + amount;
  });
}
expectTypeOf(new Account().add(1)).toEqualTypeOf<Coroutine<number>>();
// @ts-expect-error `this` is checked
new Account().add.call({}, 1);

expectTypeOf(run(async () => "value")).toEqualTypeOf<Promise<string>>();
expectTypeOf(run(() => 1)).toEqualTypeOf<Promise<number>>();
expectTypeOf(run(fetchUser(1))).toExtend<Promise<{ id: number }>>();
expectTypeOf(run(() => fetchUser(1))).toExtend<Promise<{ id: number }>>();
expectTypeOf(createTask(async () => "value")).toEqualTypeOf<Task<string>>();
expectTypeOf(currentTask()).toEqualTypeOf<Task<unknown>>();
expectTypeOf(allTasks()).toEqualTypeOf<Task<unknown>[]>();

// @ts-expect-error a running promise has no owner: pass the function
run(Promise.resolve(1));
// @ts-expect-error an option that does not exist
run(async () => {}, { handleSignal: true });
