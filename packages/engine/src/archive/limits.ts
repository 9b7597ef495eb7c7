/** Bounds that the writer keeps and the reader insists on; `docs/archive-format.md` names them. */
export const MAX_ENTRIES = 100_000;
/** Bytes of a name or a link's target: PATH_MAX of Linux. */
export const MAX_PATH = 4096;
export const MAX_DESCRIPTION = 16 * 1024 * 1024;
export const MAX_OBJECTS = 64 * 1024 * 1024;
export const MAX_CHECKSUMS = 128 * 1024 * 1024;
export const MAX_SIGNATURE = 4096;
/** User and group ids of Linux, without the one that means none. */
export const MAX_ID = 2 ** 32 - 2;
