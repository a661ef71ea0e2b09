// A module that ends its thread while it is loaded.

process.exit(5);

export function never(): void {}
