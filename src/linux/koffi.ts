// koffi, which calls C: its compiled module alone, without the scripts around it. Those import node:util, to warn of functions that
// berth does not call, and an import reads all that a module exports; and they look for the machine's C library, which is glibc.
import type Koffi from 'koffi';

const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);
const { arch } = process;

/** Throws on a machine for which koffi has nothing compiled. */
export const koffi = require(`@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`) as typeof Koffi;
