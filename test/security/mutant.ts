// A deliberately weakened berth: one small edit of its sources, and the test that must notice.

export type Mutant = {
  /** The requirement of docs/security.md that the edit takes away: `SEC-2`. */
  readonly requirement: string;
  /** What is weaker now, as a sentence without its full stop. */
  readonly weakness: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly before: string;
  readonly after: string;
  /** The test file, and the title (or what of it stands between two `*`) of the test that must fail. */
  readonly test: string;
  readonly title: string;
};
