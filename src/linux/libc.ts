// The one handle on the C library. Every wrapper in this folder declares its prototype against it.
import koffi, { type LibraryHandle } from 'koffi';

export const libc: LibraryHandle = koffi.load('libc.so.6');
