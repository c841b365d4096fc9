/** Goes on with a value: in this very call where it is there, so that nothing is made to wait for a microtask. */
export function whenKnown<T>(value: T | Promise<T>, goOn: (value: T) => void): void {
  if (value instanceof Promise) void value.then(goOn);
  else goOn(value);
}
