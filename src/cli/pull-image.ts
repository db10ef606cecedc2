// Fetch an image for somebody who watches. Loaded only when something has to be fetched.
import type { Host } from '../oci/host.ts';
import type { Image } from '../oci/image/image.ts';
import { pullImage } from '../oci/image/pull.ts';
import { registryOptions } from '../oci/image/registry/environment.ts';
import { Interrupt } from './interrupt.ts';
import type { Output } from './output/output.ts';
import { ProgressView } from './pull-progress.ts';

/** Fetch an image, whatever is here already, until Ctrl-C. Rejects with OciError. */
export async function pullWithProgress(host: Host, reference: string, output: Output): Promise<Image> {
  using interrupt = new Interrupt();
  using progress = new ProgressView(output);
  const { content: store, layers } = host;
  const registry = registryOptions(process.env);
  const { onProgress } = progress;
  return await pullImage(reference, { registry, store, layers, onProgress, signal: interrupt.signal });
}
