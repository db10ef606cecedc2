// What the tour prints: headings, commands as one would type them, and what came of them.
const bold = (text: string): string => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);
const dim = (text: string): string => (process.stdout.isTTY ? `\x1b[2m${text}\x1b[0m` : text);
const green = (text: string): string => (process.stdout.isTTY ? `\x1b[32m${text}\x1b[0m` : text);

/** A step of the tour. */
export function heading(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** A command that the reader could type. */
export function command(text: string): void {
  console.log(`  ${dim('$')} ${text}`);
}

/** Lines that a command printed. */
export function output(text: string): void {
  for (const line of text.trimEnd().split('\n')) console.log(`  ${line}`);
}

/** What happened, and how long it took. */
export function outcome(text: string, startedAt: number): void {
  console.log(`  ${green('✓')} ${text} ${dim(`${Math.round(performance.now() - startedAt)} ms`)}`);
}

/** Something to know. */
export function note(text: string): void {
  console.log(`  ${dim(text)}`);
}
