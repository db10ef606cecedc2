// Put an OCI layout into a registry, as any client does: distribution-spec, "Push".
import { setTimeout as sleep } from 'node:timers/promises';

import type { Layout } from '../../examples/quickstart/image/oci-image.ts';

type Descriptor = { readonly digest: string; readonly mediaType: string };
type Manifest = { readonly config: Descriptor; readonly layers: readonly Descriptor[] };

/** Push the layout's image to `origin` (`http://127.0.0.1:5000`) as `repository:tag`. Rejects with what the registry answered. */
export async function pushLayout(
  layout: Layout,
  { origin, repository, tag }: { readonly origin: string; readonly repository: string; readonly tag: string },
): Promise<void> {
  const index = readJson(layout, 'index.json') as { manifests: readonly Descriptor[] };
  const [descriptor] = index.manifests;
  if (descriptor === undefined) throw new Error('The layout has no image');
  const manifest = readJson(layout, blobPath(descriptor.digest)) as Manifest;
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    await pushBlob(`${origin}/v2/${repository}/blobs/uploads/`, digest, content(layout, blobPath(digest)));
  }
  await send(`${origin}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': descriptor.mediaType },
    body: new Uint8Array(content(layout, blobPath(descriptor.digest))),
  });
}

/** Wait until a registry answers at `origin`. Rejects after ten seconds. */
export async function registryAnswers(origin: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(`${origin}/v2/`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`No registry answers at ${origin}`);
}

async function pushBlob(uploads: string, digest: string, body: Buffer): Promise<void> {
  const session = await send(uploads, { method: 'POST' });
  const location = new URL(session.headers.get('location') ?? '', uploads);
  location.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  await send(location.href, { method: 'PUT', headers, body: new Uint8Array(body) });
}

async function send(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${options.method} ${url}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function content(layout: Layout, path: string): Buffer {
  const found = layout.get(path);
  if (found === undefined) throw new Error(`The layout has no ${path}`);
  return found;
}

function readJson(layout: Layout, path: string): unknown {
  return JSON.parse(content(layout, path).toString());
}
