import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { lgetxattr } from '../../src/linux/xattr.ts';
import { tarBytes, type TestEntry } from '../oci/image/tar-bytes.ts';
import { describeTree, eachWay, scratchDirectory } from './layer-scene.ts';

/** A tree with everything that a file system can hold, made by shell commands in the current directory. */
const EDGE_TREE = String.raw`
set -e
umask 022
mkdir -p usr/bin deep empty tmp 'with space' many
chmod 1777 tmp; chmod 2755 usr; chown 0:50 usr
printf setuid > usr/bin/su; chmod 6755 usr/bin/su
printf owned > owned; chown 70000:4000000000 owned; chmod 0640 owned
printf x > usr/bin/zero-mode; chmod 0 usr/bin/zero-mode
: > zero-bytes
head -c 1048577 /dev/zero > large
for i in $(seq 511 513); do head -c $i /dev/zero > size-$i; done
ln usr/bin/su hard; ln -s usr/bin/su soft; ln soft hard-of-soft; ln -s /etc/passwd absolute; ln -s missing dangling
ln -s "$(head -c 3000 /dev/zero | tr '\0' t)" long-target
chown -h 5:6 soft; touch -h -d '2001-02-03 04:05:06.789' soft
mkfifo fifo; mknod char c 1 3; mknod block b 259 70000; chmod 0622 char; chown 3:4 block
d=deep; for i in $(seq 1 30); do d="$d/$(printf 'd%059d' $i)"; done; mkdir -p "$d"; printf deep > "$d/file"
printf n > "$(head -c 255 /dev/zero | tr '\0' n)"
printf n > "$(printf 'latin-\344')"; printf n > "$(printf 'new\nline')"; printf n > 'trail '; printf n > '-dash'
for i in $(seq 1 300); do : > many/$i; done
touch -d '1938-04-23 22:13:20.25' owned; touch -d '2242-03-16 12:56:32.999999999' large
setcap cap_net_raw+ep usr/bin/zero-mode 2>/dev/null || true
touch -d '2020-01-01 00:00:00.123456789' tmp usr/bin usr empty .
`;

const FORMATS = ['pax', 'gnu'] as const;
for (const format of FORMATS) {
  eachWay(`a tree with every kind of file is unpacked as GNU tar unpacks it (${format} format)`, (t, writeLayer) => {
    const directory = scratchDirectory(t);
    for (const name of ['tree', 'expected']) mkdirSync(join(directory, name));
    execFileSync('sh', ['-c', EDGE_TREE], { cwd: join(directory, 'tree') });
    const tar = join(directory, 'made.tar');
    const xattrs = format === 'pax' ? ['--xattrs', '--xattrs-include=*'] : [];
    execFileSync('tar', [...xattrs, `--format=${format}`, '-C', join(directory, 'tree'), '-cf', tar, '.']);
    execFileSync('tar', [...xattrs, '--numeric-owner', '-p', '-C', join(directory, 'expected'), '-xf', tar]);
    const { root, summary } = writeLayer(directory, readFileSync(tar));
    const expected = describeTree(join(directory, 'expected'));
    t.true(expected.length > 360, String(expected.length));
    t.deepEqual(describeTree(root), expected);
    t.is(summary.entries, expected.length);
    t.deepEqual(summary.implied, []);
  });
}

const umoci = existsSync('/usr/bin/umoci');
const skipped: typeof eachWay = (title) => test.skip(title, () => undefined);
(umoci ? eachWay : skipped)(
  `overlay whiteouts are what umoci makes of them${umoci ? '' : ' (skipped: no umoci here)'}`,
  (t, writeLayer) => {
    const directory = scratchDirectory(t);
    const tree = [
      { name: 'gone/', type: '5', mode: 0o755 },
      { name: 'gone/a', body: 'a' },
      { name: 'kept', body: 'kept' },
      { name: 'opaque/', type: '5', mode: 0o700 },
      { name: 'opaque/below', body: 'b' },
    ];
    const changes = [
      { name: '.wh.gone' },
      { name: 'opaque/', type: '5', mode: 0o711 },
      { name: 'opaque/.wh..wh..opq' },
      { name: 'opaque/above', body: 'above' },
    ];
    const image = join(directory, 'image');
    const sh = (script: string): string => execFileSync('sh', ['-ec', script], { cwd: directory, encoding: 'utf8' });
    for (const [name, entries] of [
      ['lower', tree],
      ['upper', changes],
    ] as const)
      writeFileSync(join(directory, `${name}.tar`), tarBytes(entries));
    sh(
      `umoci init --layout ${image}; umoci new --image ${image}:t; for l in lower upper; do umoci raw add-layer --image ${image}:t $l.tar; done`,
    );
    sh(`umoci unpack --image ${image}:t bundle`);
    const layers = ['upper', 'lower'].map(
      (name) => writeLayer(join(directory, name), readFileSync(join(directory, `${name}.tar`))).root,
    );
    const merged = sh(
      `mkdir merged; unshare -m sh -ec 'mount -t overlay -o lowerdir=${layers.join(':')} x merged; cd merged; find . | sort; cat opaque/above; stat -c %a opaque'`,
    );
    const expected = sh(`cd bundle/rootfs; find . | sort; cat opaque/above; stat -c %a opaque`);
    t.is(merged, expected);
  },
);

/** All names below `root`, sorted, with the type of each. Links are not followed. */
function names(root: string): string[] {
  const find = (...test: readonly string[]): string =>
    execFileSync('find', ['.', '-mindepth', '1', ...test], { cwd: root, encoding: 'utf8' });
  const marks = [
    ['/', '-type', 'd'],
    ['@', '-type', 'l'],
    ['%', '-type', 'c'],
    ['', '-type', 'f'],
  ];
  return marks
    .flatMap(([mark = '', ...test]) =>
      find(...test)
        .split('\n')
        .filter(Boolean)
        .map((name) => name.slice(2) + mark),
    )
    .sort();
}

const scenes: readonly (readonly [string, readonly TestEntry[], readonly string[]])[] = [
  [
    'entries come before their directories',
    [{ name: 'a/b/c' }, { name: 'a/', type: '5', mode: 0o711 }],
    ['a/', 'a/b/', 'a/b/c'],
  ],
  ['a directory replaces a file', [{ name: 'a' }, { name: 'a/', type: '5' }, { name: 'a/b' }], ['a/', 'a/b']],
  ['a file replaces a directory and all in it', [{ name: 'a/b/c' }, { name: 'a' }], ['a']],
  [
    'a file replaces a link, and what it leads to stays',
    [
      { name: 't', body: 'kept' },
      { name: 'a', type: '2', linkname: 't' },
      { name: 'a', body: 'new' },
    ],
    ['a', 't'],
  ],
  [
    'a directory replaces a link to a directory',
    [{ name: 'd/', type: '5' }, { name: 'a', type: '2', linkname: 'd' }, { name: 'a/', type: '5' }, { name: 'a/x' }],
    ['a/', 'a/x', 'd/'],
  ],
  [
    'a link replaces a directory that was used a moment ago',
    [{ name: 'a/x' }, { name: 'b/', type: '5' }, { name: 'a', type: '2', linkname: 'b' }, { name: 'a/y' }],
    ['a@', 'b/', 'b/y'],
  ],
  [
    'an entry below a link lands where the link leads, within the layer',
    [{ name: 'usr/lib/', type: '5' }, { name: 'lib', type: '2', linkname: '/usr/lib' }, { name: 'lib/x' }],
    ['lib@', 'usr/', 'usr/lib/', 'usr/lib/x'],
  ],
  [
    'a hard link to itself loses nothing',
    [
      { name: 'a', body: 'x' },
      { name: './a', type: '1', linkname: 'a' },
    ],
    ['a'],
  ],
  [
    'a hard link may replace another name',
    [
      { name: 'a', body: 'x' },
      { name: 'b', body: 'y' },
      { name: 'b', type: '1', linkname: '/a' },
    ],
    ['a', 'b'],
  ],
  ['absolute names are names below the root', [{ name: '/etc/passwd', body: 'x' }], ['etc/', 'etc/passwd']],
  ['the root may be described', [{ name: './', type: '5', mode: 0o700 }, { name: 'a' }], ['a']],
  ['a whiteout is a device 0:0', [{ name: '.wh.a' }, { name: 'd/.wh.b' }], ['a%', 'd/', 'd/b%']],
  ['a device 0:0 is a whiteout', [{ name: 'a', type: '3' }], ['a%']],
  [
    'a file wins over a whiteout of its own layer, whichever comes first',
    [{ name: '.wh.a' }, { name: 'a' }, { name: 'b' }, { name: '.wh.b' }],
    ['a', 'b'],
  ],
  [
    'a directory wins over a whiteout of its own layer',
    [{ name: '.wh.a' }, { name: 'a/x' }, { name: '.wh.b' }, { name: 'b/', type: '5' }],
    ['a/', 'a/x', 'b/'],
  ],
  ["aufs's own files are left out", [{ name: '.wh..wh.plnk/1.2' }, { name: '.wh..wh.aufs' }, { name: 'a' }], ['a']],
];
for (const [what, entries, expected] of scenes) {
  eachWay(what, (t, writeLayer) => {
    t.deepEqual(names(writeLayer(scratchDirectory(t), tarBytes(entries)).root), expected);
  });
}

eachWay('directories keep their times and modes, whatever is written in them later', (t, writeLayer) => {
  const entries = [
    { name: 'd/', type: '5', mode: 0o2550, gid: 50, mtime: 1000 },
    { name: 'd/a', mtime: 2000 },
    { name: 'd/e/', type: '5', mode: 0o755, mtime: 3000 },
  ];
  const { root } = writeLayer(scratchDirectory(t), tarBytes(entries));
  const found = statSync(join(root, 'd'));
  t.deepEqual([found.mode & 0o7777, found.gid, found.mtimeMs], [0o2550, 50, 1_000_000]);
  // Nothing was inherited from the setgid directory.
  t.is(statSync(join(root, 'd/a')).gid, 0);
  t.is(statSync(join(root, 'd/e')).mode & 0o7777, 0o755);
});

/** Tag, permissions and id, as `struct posix_acl_xattr_entry` has them. */
function aclEntry(tag: number, permissions: number): number[] {
  return [tag, 0, permissions, 0, 255, 255, 255, 255];
}

eachWay(
  'what a default ACL of a directory would give to new files is not given to those of the layer',
  (t, writeLayer) => {
    // user::rwx group::--- other::---, as the kernel stores it: version 2, then tag, permissions and id of each.
    const acl = Buffer.from([2, 0, 0, 0, ...aclEntry(1, 7), ...aclEntry(4, 0), ...aclEntry(32, 0)]);
    const pax = { 'SCHILY.xattr.system.posix_acl_default': acl.toString('latin1') };
    const entries = [
      { name: 'd/', type: '5', mode: 0o755, pax },
      { name: 'd/a', mode: 0o644 },
    ];
    const { root } = writeLayer(scratchDirectory(t), tarBytes(entries));
    t.is(statSync(join(root, 'd/a')).mode & 0o777, 0o644);
  },
);

eachWay(
  "opaque directories and those with whiteouts carry overlayfs's marks, and no mark of the archive's own",
  (t, writeLayer) => {
    const pax = {
      'SCHILY.xattr.trusted.overlay.redirect': '/etc',
      'SCHILY.xattr.user.overlay.opaque': 'y',
      'SCHILY.xattr.user.kept': 'yes',
    };
    const entries = [
      { name: 'o/.wh..wh..opq' },
      { name: 'w/.wh.x' },
      { name: '.wh.n' },
      { name: 'n/', type: '5' },
      { name: 'plain/', type: '5', pax },
    ];
    const { root } = writeLayer(scratchDirectory(t), tarBytes(entries));
    const mark = (name: string, attribute: string): string | undefined =>
      lgetxattr(join(root, name), attribute)?.toString();
    t.deepEqual(
      ['o', 'w', 'n', 'plain'].map((name) => [
        mark(name, 'trusted.overlay.opaque'),
        mark(name, 'trusted.overlay.origin'),
      ]),
      [
        ['y', undefined],
        [undefined, ''],
        ['y', undefined],
        [undefined, undefined],
      ],
    );
    t.deepEqual(
      [mark('plain', 'trusted.overlay.redirect'), mark('plain', 'user.overlay.opaque'), mark('plain', 'user.kept')],
      [undefined, undefined, 'yes'],
    );
  },
);

eachWay('directories that nobody described are listed, and an opaque root is told', (t, writeLayer) => {
  const { summary } = writeLayer(
    scratchDirectory(t),
    tarBytes([{ name: 'a/b/c' }, { name: 'a/', type: '5' }, { name: '.wh..wh..opq' }]),
  );
  t.deepEqual(summary.implied, ['', 'a/b']);
  t.true(summary.opaqueRoot);
});
