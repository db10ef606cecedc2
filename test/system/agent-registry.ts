// A registry in the test's process, with images of the layouts that a test makes.
import { startRegistry, type Content, type Exchange, type FaultRegistry } from '../oci/image/fault-registry.ts';
import type { Layout } from '../../examples/quickstart/image/oci-image.ts';
import { OCI_MANIFEST } from '../../src/oci/image/media-type.ts';

/** What a registry serves: the image of each layout by its tag. Tags may be added and moved while it serves. */
export type RegistryContent = Content & { readonly put: (tag: string, layout: Layout) => void };

export function registryContent(): RegistryContent {
  const manifests = new Map<string, { readonly bytes: Buffer; readonly contentType: string }>();
  const blobs = new Map<string, Buffer>();
  const put = (tag: string, layout: Layout): void => {
    for (const [path, bytes] of layout) {
      if (path.startsWith('blobs/')) blobs.set(path.slice('blobs/'.length).replace('/', ':'), bytes);
    }
    const index = JSON.parse(layout.get('index.json')?.toString() ?? '') as { manifests: [{ digest: string }] };
    manifests.set(tag, { bytes: blobs.get(index.manifests[0].digest) ?? Buffer.alloc(0), contentType: OCI_MANIFEST });
  };
  return { manifests, blobs, put };
}

/** Start it on a free loopback port. `fault` sees every request and calls `serve` for those that it lets through. */
export function serveImages(content: Content, fault?: (exchange: Exchange) => void): Promise<FaultRegistry> {
  return startRegistry(content, fault);
}
