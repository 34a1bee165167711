/** Where the keyboard continues after a redraw. Plain values, no I/O. */

/**
 * The names by which an element takes over the focus, the best first: the one that had it, then its neighbours by their
 * distance, the later one before the earlier one. A name may be undefined.
 */
export function successorsOf(names, place) {
  const byDistance = names.map((name, index) => ({ name, distance: Math.abs(index - place), isEarlier: index < place }));
  byDistance.sort((one, other) => one.distance - other.distance || Number(one.isEarlier) - Number(other.isEarlier));
  return byDistance.map(({ name }) => name).filter((name) => name !== undefined);
}
