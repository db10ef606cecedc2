// System tests: they need root, kernel features or Debian's programs. They share one machine and look for what was left
// behind on it, so they run one after another.
export default {
  extensions: ['ts'],
  files: ['test/system/**/*.test.ts'],
  workerThreads: false,
  concurrency: 1,
  serial: true,
  timeout: process.env.BERTH_TEST_TIMEOUT ?? '300s',
};
