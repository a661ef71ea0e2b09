// `async def` makes a coroutine: calling it starts nothing, awaiting it does. coroutine() brings that to TypeScript.

import { coroutine, gather, run } from "meanwhile";

const myFunction = coroutine(async function myFunction(name: string): Promise<string> {
  console.log(`  running for ${name}`);
  return `Hello, ${name}`;
});

await run(async () => {
  const greeting = myFunction("Ada");
  console.log("called, nothing has run yet");
  console.log(await greeting);

  // Combinators take coroutines as they are, like asyncio.gather.
  console.log(await gather([myFunction("Grace"), myFunction("Barbara")]));
});
