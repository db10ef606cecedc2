// config.json as text. JSON has integers of any size, JSON.parse makes doubles of them: what seccomp compares arguments with has
// 64 bits and must stay exact, so values above 2^53 there are bigints. Others of that size are limits, where it does not matter.
const LARGE = /"value(?:Two)?"\s*:\s*\d{16,}/;

type RawJson = { readonly rawJSON: (text: string) => unknown };

/** Read a configuration. Throws SyntaxError. */
export function parseConfigText(text: string): unknown {
  return LARGE.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
}

function exact(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if ((key !== 'value' && key !== 'valueTwo') || typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^\d+$/.test(source) ? BigInt(source) : value;
}

/** Write it so that `parseConfigText` reads the same. */
export function formatConfigText(config: object): string {
  // Not in TypeScript's library yet.
  const { rawJSON } = JSON as unknown as RawJson;
  return JSON.stringify(config, (_, value: unknown) => (typeof value === 'bigint' ? rawJSON(String(value)) : value));
}
