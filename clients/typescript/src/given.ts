/** Options that somebody left out. */

/** An object without what is undefined in it, so that `{ ...defaults, ...given(options) }` keeps the defaults. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
