// Images that a command needs: from the store, or fetched with progress.
import type { Host } from '../oci/host.ts';
import type { Image } from '../oci/image/image.ts';
import { isComplete, resolveImage } from '../oci/image/resolve.ts';
import { Interrupt } from './interrupt.ts';
import type { Output } from './output/output.ts';
import { CommandFailure } from './failure.ts';
import { ProgressView } from './pull-progress.ts';

/** Fetch an image, whatever is here already. Rejects with OciError. */
export async function pull(host: Host, reference: string, output: Output): Promise<Image> {
  const { pullImage } = await import('../oci/image/pull.ts');
  using interrupt = new Interrupt();
  using progress = new ProgressView(output);
  const { content: store, layers } = host;
  return await pullImage(reference, { store, layers, onProgress: progress.onProgress, signal: interrupt.signal });
}

/** The image of a reference, fetched only when it is not (wholly) here. Rejects with OciError. */
export async function imageOrPull(host: Host, reference: string, output: Output): Promise<Image> {
  const image = resolveImage(host.content, reference);
  if (image !== undefined && isComplete(image, host.content, host.layers)) return image;
  return pull(host, reference, output);
}

/** The image of a reference that is here. Throws CommandFailure when it is not. */
export function requireImage(host: Host, reference: string): Image {
  const image = resolveImage(host.content, reference);
  if (image !== undefined) return image;
  throw new CommandFailure(`There is no image '${reference}' on this machine`, {
    hint: 'berth images lists the images; berth pull fetches one',
  });
}
