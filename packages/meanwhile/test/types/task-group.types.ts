// The types of task groups: what is inferred, and what the compiler refuses.

import { expectTypeOf } from "expect-type";
import { type Task, taskGroup } from "meanwhile";

expectTypeOf(taskGroup(async () => 1)).toEqualTypeOf<Promise<number | undefined>>();

await taskGroup((group) => {
  expectTypeOf(group.createTask(async () => 1)).toEqualTypeOf<Task<number>>();
  // start: the value that the job gives to started().
  expectTypeOf(group.start(async (started) => started())).toEqualTypeOf<Promise<void>>();
  expectTypeOf(group.start<number>(async (started) => started(1))).toEqualTypeOf<Promise<number>>();
  const serve = async (started: (port: string) => void): Promise<void> => started("80");
  expectTypeOf(group.start(serve)).toEqualTypeOf<Promise<string>>();
  // @ts-expect-error a promise is not a job
  group.createTask(Promise.resolve());
});
