// How much one file may ask of the reader. Kubernetes keeps an object under 1.5 MiB; a manifest beyond these bounds
// is a mistake or an attack (CVE-2019-11253: nested aliases that grow without end).

/** Bytes of one document. */
export const MAX_DOCUMENT_BYTES = 1024 * 1024;
/** Bytes of one file with all of its documents. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** Objects and lists inside each other. */
export const MAX_DEPTH = 64;
/** Uses of aliases (`*name`) in one document. */
export const MAX_ALIASES = 100;
/** Values that all aliases of one document stand for, together. */
export const MAX_ALIASED_VALUES = 10_000;
/** Lexical tokens of one file: bounds the work, and the number of syntax errors that nonsense can make. */
export const MAX_TOKENS = 400_000;
/** Mistakes reported for one file. */
export const MAX_ERRORS = 500;
