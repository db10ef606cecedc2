// Preloaded (`node --import`) into a program: writes what it has loaded to the file that RECORD_MODULES names when it ends.
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import process from 'node:process';

const files = [];
const before = new Set(process.moduleLoadList);

registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) files.push(url);
    return next(url, context);
  },
});

process.on('exit', () => {
  const builtins = process.moduleLoadList
    .filter((name) => name.startsWith('NativeModule ') && !before.has(name))
    .map((name) => name.slice('NativeModule '.length));
  writeFileSync(process.env.RECORD_MODULES, JSON.stringify({ files, builtins }));
});
