// The WWW-Authenticate header: RFC 9110 section 11.6.1. Pure, linear, bounded.

export type Challenge = {
  /** Lower case. */
  readonly scheme: string;
  /** Keys in lower case. Empty for a challenge that carries a token68 or nothing. */
  readonly parameters: ReadonlyMap<string, string>;
};

const MAX_LENGTH = 8192;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)"/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const SPACE = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;

/**
 * The challenges of a header value, in order. A header that breaks the grammar yields what could be read before the
 * break: a caller then finds no challenge it can answer, which is the right end.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  if (header.length > MAX_LENGTH) return [];
  const scanner = new Scanner(header);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (;;) {
    scanner.take(SEPARATORS);
    const word = scanner.take(TOKEN);
    if (word === undefined) return challenges;
    const parameter = scanner.parameterValue();
    const current = challenges.at(-1);
    if (parameter === undefined) {
      challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
      scanner.token68();
    } else if (current === undefined) {
      return challenges;
    } else if (!current.parameters.has(word.toLowerCase())) {
      current.parameters.set(word.toLowerCase(), parameter);
    }
  }
}

/** The inverse, for one challenge: every value is quoted. */
export function formatChallenge({ scheme, parameters }: Challenge): string {
  const pairs = [...parameters].map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`);
  return pairs.length === 0 ? scheme : `${scheme} ${pairs.join(', ')}`;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What `pattern` (sticky) matches here, or undefined; the position moves behind it. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[0];
  }

  /** `= value` after a name; undefined (and nothing taken) when the name was a scheme. */
  parameterValue(): string | undefined {
    const before = this.#at;
    this.take(SPACE);
    if (this.#text[this.#at] === '=') {
      this.#at += 1;
      this.take(SPACE);
      const quoted = this.take(QUOTED);
      const value = quoted === undefined ? this.take(TOKEN) : quoted.replaceAll(/\\([\s\S])/g, '$1');
      if (value !== undefined) return value;
    }
    this.#at = before;
    return undefined;
  }

  /** Skip the one blob that schemes such as Negotiate carry instead of parameters. */
  token68(): void {
    const before = this.#at;
    this.take(SPACE);
    // `Basic realm` never matches: a name that is followed by `=` and a value ends in neither comma nor end.
    if (this.#at === before || this.take(TOKEN68) === undefined) this.#at = before;
  }
}
