/** Work that is done for several elements at the same time. */

/**
 * Does the work for each element, `count` of them at a time. The first failure cancels what still runs and begins
 * nothing else; the promise rejects with it once all of that has ended.
 */
export async function inParallel<T>(
  elements: Iterable<T>,
  count: number,
  signal: AbortSignal | undefined,
  work: (element: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const round = new AbortController();
  const cancel = () => round.abort(signal?.reason);
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const waiting = elements[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (!failure) {
      const next = waiting.next();
      if (next.done) return;
      try {
        await work(next.value, round.signal);
      } catch (error) {
        failure ??= { error };
        round.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, count) }, worker));
  signal?.removeEventListener("abort", cancel);
  if (failure) throw failure.error;
}
