// Values of users inside messages: quoted, and never long.

const LONGEST = 60;

/** `'text'`, cut after 60 characters. */
export function quoted(text: string): string {
  return text.length > LONGEST ? `'${text.slice(0, LONGEST)}…'` : `'${text}'`;
}

/** `'a', 'b' or 'c'`. */
export function alternatives(names: readonly string[]): string {
  const all = names.map((name) => `'${name}'`);
  const last = all.at(-1);
  return all.length < 2 || last === undefined ? all.join('') : `${all.slice(0, -1).join(', ')} or ${last}`;
}
