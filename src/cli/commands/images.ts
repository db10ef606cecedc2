import { defineCommand } from '../command.ts';
import { listImages, type ImageView } from '../image-list.ts';
import { existingHost } from '../open-host.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import { oneLine } from '../output/printable.ts';
import { formatAge, formatSize } from '../output/quantities.ts';
import { formatTable } from '../output/table.ts';

export const command = defineCommand({
  usage: ['images [-q] [-o json|yaml]'],
  options: { quiet: { type: 'boolean', short: 'q', help: 'Print references only' }, ...formatOption },
  examples: ['berth images', 'berth images -o json'],
  arguments: { min: 0, max: 0 },
  run: async ({ values, globals, output }) => {
    const format = parseFormat(values.output);
    const host = existingHost(globals);
    const images = host === undefined ? [] : listImages(host);
    if (values.quiet) for (const { reference } of images) output.line(oneLine(reference));
    else if (format === 'table') output.write(imageTable(images, Date.now()));
    else await printStructured(output, format, images);
    return 0;
  },
});

const SHOWN_DIGITS = 12;

/** The table of `berth images`, as of `now` (milliseconds since the epoch). Pure. */
export function imageTable(images: readonly ImageView[], now: number): string {
  const rows = images.map(({ reference, digest, platform, created, sizeBytes, complete }) => {
    const built = created === undefined ? NaN : Date.parse(created);
    return [
      oneLine(reference),
      digest.slice(digest.indexOf(':') + 1).slice(0, SHOWN_DIGITS),
      oneLine(platform),
      Number.isNaN(built) ? '-' : `${formatAge(now - built)} ago`,
      formatSize(sizeBytes),
      complete ? 'yes' : 'partly',
    ];
  });
  return formatTable(['REFERENCE', 'DIGEST', 'PLATFORM', 'CREATED', 'SIZE', 'HERE'], rows);
}
