// A cgroup2 mount made of plain files: what can be tested of v2 limits on any machine.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { CgroupLayout } from '../../../src/linux/cgroup/layout.ts';

export class FakeTree implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), 'berth-cgroup-'));

  /** Make files with their content, and the directories they are in. */
  with(files: Readonly<Record<string, string>>): this {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), content);
    }
    return this;
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** A layout with one hierarchy, mounted at the root of the tree, or at the directory of that name. */
  layout(version: 1 | 2, controllers: readonly string[], directory = ''): CgroupLayout {
    return { hierarchies: [{ version, mountPoint: join(this.root, directory), controllers, self: '/' }] };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
