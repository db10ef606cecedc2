// The one handle on the C library. Every wrapper in this folder declares its prototype against it.
import type { LibraryHandle } from 'koffi';

import { koffi } from './koffi.ts';

export const libc: LibraryHandle = koffi.load('libc.so.6');
