// Images that a command needs: from the store, or fetched with progress.
import type { Host } from '../oci/host.ts';
import type { Image } from '../oci/image/image.ts';
import { isComplete, resolveImage } from '../oci/image/resolve.ts';
import type { Output } from './output/output.ts';
import { CommandFailure } from './failure.ts';

/** The image of a reference, fetched only when it is not (wholly) here. Rejects with OciError. */
export async function imageOrPull(host: Host, reference: string, output: Output): Promise<Image> {
  const image = resolveImage(host.content, reference);
  if (image !== undefined && isComplete(image, host.content, host.layers)) return image;
  const { pullWithProgress } = await import('./pull-image.ts');
  return pullWithProgress(host, reference, output);
}

/** The image of a reference that is here. Throws CommandFailure when it is not. */
export function requireImage(host: Host, reference: string): Image {
  const image = resolveImage(host.content, reference);
  if (image !== undefined) return image;
  throw new CommandFailure(`There is no image '${reference}' on this machine`, {
    hint: 'berth images lists the images; berth pull fetches one',
  });
}
