const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.2 GiB` */
export function formatBytes(bytes: number): string {
  const power = Math.min(
    Math.floor(Math.log2(Math.max(bytes, 1)) / 10),
    UNITS.length - 1,
  );
  const value = bytes / 1024 ** power;
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(undefined, {
    maximumFractionDigits: digits,
  })} ${UNITS[power]}`;
}
