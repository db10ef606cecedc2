// Kubernetes quantities ("apimachinery/pkg/api/resource"): exact decimal numbers with a suffix, such as 500m or 128Mi.

const NANOS = 9n;

/** Powers of ten of the decimal suffixes. */
const DECIMAL: ReadonlyMap<string, bigint> = new Map([
  ['n', -9n],
  ['u', -6n],
  ['m', -3n],
  ['', 0n],
  ['k', 3n],
  ['M', 6n],
  ['G', 9n],
  ['T', 12n],
  ['P', 15n],
  ['E', 18n],
]);

/** Powers of two of the binary suffixes. */
const BINARY: ReadonlyMap<string, bigint> = new Map([
  ['Ki', 10n],
  ['Mi', 20n],
  ['Gi', 30n],
  ['Ti', 40n],
  ['Pi', 50n],
  ['Ei', 60n],
]);

const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,2})?$/;
const LONGEST = 40;

/**
 * A quantity in billionths, exactly; what is finer than a billionth is rounded up, as Kubernetes does. Undefined when
 * the text is no quantity. Exponents of more than two digits and texts over 40 characters are none.
 */
export function parseQuantity(text: string): bigint | undefined {
  if (text.length > LONGEST) return undefined;
  const [matched, sign = '', whole = '', fraction = '', suffix = ''] = SYNTAX.exec(text) ?? [];
  if (matched === undefined || whole + fraction === '') return undefined;
  const exponent = DECIMAL.get(suffix) ?? (BINARY.has(suffix) ? 0n : BigInt(suffix.slice(1)));
  const scale = NANOS + exponent - BigInt(fraction.length);
  const digits = BigInt(whole + fraction) << (BINARY.get(suffix) ?? 0n);
  const nanos = scale >= 0n ? digits * 10n ** scale : divideUp(digits, 10n ** -scale);
  return sign === '-' ? -nanos : nanos;
}

/** Thousandths, such as millicores. Undefined when that is no whole number or not exact in a double. */
export function toMillis(nanos: bigint): number | undefined {
  return exact(nanos, 1_000_000n);
}

/** Whole units, such as bytes. Undefined when that is no whole number or not exact in a double. */
export function toUnits(nanos: bigint): number | undefined {
  return exact(nanos, 1_000_000_000n);
}

function exact(nanos: bigint, unit: bigint): number | undefined {
  const value = Number(nanos / unit);
  return nanos % unit === 0n && Number.isSafeInteger(value) ? value : undefined;
}

function divideUp(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}
