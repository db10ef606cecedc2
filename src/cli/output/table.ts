// Rows as aligned columns, as docker and kubectl print them. Pure.

const GAP = '   ';

/** A heading line and a line a row; the last column is not padded. No rows: the heading alone. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => formatLine(line, widths)).join('');
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  const last = cells.length - 1;
  const padded = cells.map((cell, column) => (column === last ? cell : cell.padEnd(widths[column] ?? 0)));
  return `${padded.join(GAP).trimEnd()}\n`;
}
