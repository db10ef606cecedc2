// Bytes of a ConfigMap or Secret as the value of an environment variable.

/** The bytes as text, or undefined when they cannot be in an environment: not UTF-8, or with a NUL among them. */
export function environmentText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
