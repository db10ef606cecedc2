// Bits to names, for messages that never lie: an unknown bit is printed as hex.

/** `formatFlags(3, { A: 1, B: 2 })` is `A|B`; no bits is `0`; bits without a name are appended as hex. */
export function formatFlags(bits: number | bigint, names: Readonly<Record<string, number>>): string {
  let rest = BigInt(bits);
  const found: string[] = [];
  for (const [name, value] of Object.entries(names)) {
    const mask = BigInt(value);
    if (mask === 0n || (rest & mask) !== mask) continue;
    found.push(name);
    rest &= ~mask;
  }
  if (rest !== 0n) found.push(`0x${rest.toString(16)}`);
  return found.length === 0 ? '0' : found.join('|');
}
