// Text from elsewhere (a registry, a manifest, an image), made safe to print on a terminal.

// C0 but for tab and newline, DEL, C1, and the characters that reorder what a terminal shows (Unicode's bidi controls).
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The same text with `?` for every character that could drive the terminal. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '?');
}

/** As `printable`, on one line. */
export function oneLine(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, ' '));
}
