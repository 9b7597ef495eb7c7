/** The middle value; of an even number the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of every number in records of one shape, rounded for reading. */
export function medians<T extends Record<keyof T, number>>(records: T[]): T {
  return Object.fromEntries(
    Object.keys(records[0]).map(key => [
      key,
      round(median(records.map(record => record[key as keyof T]))),
    ]),
  ) as T;
}

/** Three decimals. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
