// Versions (semver.org 2.0.0) and ranges of them as npm writes them: `1.x`, `^1.2`, `~1.2.3`, `>=1.0.0 <2`, `1.2 - 1.4`, `||`. Pure.

export type Version = {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Of a pre-release: its identifiers; empty for a release. */
  readonly pre: readonly string[];
};

type Comparator = { readonly operator: '<' | '<=' | '>' | '>=' | '='; readonly version: Version };

/** Any of these sets, and of that set all comparators. */
export type Range = readonly (readonly Comparator[])[];

const NUMBER = '(?:0|[1-9]\\d{0,14})';
const PRE = '(?:-(?<pre>[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?';
const BUILD = '(?:\\+[0-9A-Za-z.-]+)?';
const VERSION = new RegExp(`^v?(?<major>${NUMBER})\\.(?<minor>${NUMBER})\\.(?<patch>${NUMBER})${PRE}${BUILD}$`);
const WILD = `(?:${NUMBER}|[xX*])`;
const PARTIAL = new RegExp(`^v?(?<major>${WILD})(?:\\.(?<minor>${WILD})(?:\\.(?<patch>${WILD})${PRE}${BUILD})?)?$`);
const MAX_RANGE_CHARS = 256;

/** A whole version, with or without a `v` before it; undefined for any other name of a tag. */
export function parseVersion(text: string): Version | undefined {
  const groups = VERSION.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const pre = groups['pre']?.split('.') ?? [];
  if (pre.some((part) => /^0\d+$/.test(part))) return undefined;
  return { major: Number(groups['major']), minor: Number(groups['minor']), patch: Number(groups['patch']), pre };
}

/** Negative, 0 or positive, by the precedence of semver.org section 11. */
export function compareVersions(one: Version, other: Version): number {
  const byNumber = one.major - other.major || one.minor - other.minor || one.patch - other.patch;
  if (byNumber !== 0) return byNumber;
  if (one.pre.length === 0 || other.pre.length === 0) return other.pre.length - one.pre.length;
  for (const [index, part] of one.pre.entries()) {
    const against = other.pre[index];
    if (against === undefined) return 1;
    const order = comparePart(part, against);
    if (order !== 0) return order;
  }
  return one.pre.length - other.pre.length;
}

/** Throws an Error that says what of the range is not understood. */
export function parseRange(text: string): Range {
  if (text.trim() === '') throw new Error('a version range is missing, such as semver:1.x');
  if (text.length > MAX_RANGE_CHARS) throw new Error(`a version range of more than ${MAX_RANGE_CHARS} characters`);
  const sets = text.split('||').map((part) => parseSet(part.trim()));
  // As npm has it: beside `*` no other set counts, not even one that would let a pre-release in.
  const anything = sets.find((set) => set.length === 0);
  return anything === undefined ? sets : [anything];
}

/** A pre-release matches only where the range names a pre-release of the same version, so that `1.x` never takes one. */
export function isInRange(version: Version, range: Range): boolean {
  return range.some((set) => {
    if (!set.every((comparator) => holds(version, comparator))) return false;
    if (version.pre.length === 0) return true;
    return set.some(({ version: { major, minor, patch, pre } }) => {
      return pre.length > 0 && major === version.major && minor === version.minor && patch === version.patch;
    });
  });
}

function comparePart(one: string, other: string): number {
  const areNumbers = [one, other].map((part) => /^\d+$/.test(part));
  if (areNumbers[0] === true && areNumbers[1] === true) {
    return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
  }
  if (areNumbers[0] !== areNumbers[1]) return areNumbers[0] === true ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}

function holds(version: Version, { operator, version: bound }: Comparator): boolean {
  const order = compareVersions(version, bound);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '=':
      return order === 0;
  }
}

function parseSet(text: string): Comparator[] {
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text);
  if (hyphen !== null) {
    const [, from = '', to = ''] = hyphen;
    return [...bounds('>=', parsePartial(from)), ...bounds('<=', parsePartial(to))];
  }
  const words = text.replace(/(<=?|>=?|=|\^|~)\s+/g, '$1').split(/\s+/);
  return words.flatMap((word) => {
    const [, operator = '', rest = ''] = /^(<=?|>=?|=|\^|~)?(.*)$/.exec(word) ?? [];
    return bounds(operator, rest === '' && operator === '' ? parsePartial('*') : parsePartial(rest));
  });
}

/** What is undefined may be anything. */
type Partial = {
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly patch: number | undefined;
  readonly pre: readonly string[];
};

function parsePartial(text: string): Partial {
  const groups = PARTIAL.exec(text)?.groups;
  if (groups === undefined) throw new Error(`'${text}' is no version or range of versions, such as 1.x or ^1.2`);
  const major = numberOf(groups['major']);
  const minor = major === undefined ? undefined : numberOf(groups['minor']);
  const patch = minor === undefined ? undefined : numberOf(groups['patch']);
  return { major, minor, patch, pre: patch === undefined ? [] : (groups['pre']?.split('.') ?? []) };
}

function numberOf(part: string | undefined): number | undefined {
  return part === undefined || /[xX*]/.test(part) ? undefined : Number(part);
}

/** The lowest pre-release of all, so that `<2` leaves out 2.0.0-rc.1. */
const LOWEST = ['0'];

function bounds(operator: string, partial: Partial): Comparator[] {
  const { major, minor = 0, patch = 0, pre } = partial;
  if (major === undefined) return operator === '<' || operator === '>' ? [below({ major: 0, minor: 0, patch: 0 })] : [];
  const low: Version = { major, minor, patch, pre };
  const isWhole = partial.patch !== undefined;
  switch (operator) {
    case '>=':
      return [{ operator: '>=', version: low }];
    case '<':
      return [isWhole ? { operator: '<', version: low } : below(low)];
    case '>':
      return [
        isWhole ? { operator: '>', version: low } : { operator: '>=', version: { ...afterPartial(partial), pre: [] } },
      ];
    case '<=':
      return [isWhole ? { operator: '<=', version: low } : below(afterPartial(partial))];
    case '^':
      return [{ operator: '>=', version: low }, below(afterCaret(partial))];
    case '~':
      return [{ operator: '>=', version: low }, below(partial.minor === undefined ? next(major) : next(major, minor))];
    default:
      if (isWhole) return [{ operator: '=', version: low }];
      return [{ operator: '>=', version: low }, below(afterPartial(partial))];
  }
}

type Triple = { readonly major: number; readonly minor: number; readonly patch: number };

function below({ major, minor, patch }: Triple): Comparator {
  return { operator: '<', version: { major, minor, patch, pre: LOWEST } };
}

/** The first version of the next major, minor or patch. */
function next(major: number, minor?: number, patch?: number): Triple {
  if (minor === undefined) return { major: major + 1, minor: 0, patch: 0 };
  return patch === undefined ? { major, minor: minor + 1, patch: 0 } : { major, minor, patch: patch + 1 };
}

function afterPartial({ major = 0, minor }: Partial): Triple {
  return next(major, minor);
}

/** The leftmost number that is not 0 stays. */
function afterCaret({ major = 0, minor, patch }: Partial): Triple {
  if (major > 0 || minor === undefined) return next(major);
  return minor > 0 || patch === undefined ? next(major, minor) : next(major, minor, patch);
}
