// Waits for ever while it is loaded, for nothing that could come.

await new Promise(() => {});

export function never(): void {}
