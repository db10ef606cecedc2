import test from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import { podSysctls } from '../../../src/oci/network/sysctl.ts';

test('every pod may use low ports and ping, and takes no router from a neighbour', (t) => {
  t.deepEqual(podSysctls({}, true), [
    { path: '/proc/sys/net/ipv4/ip_unprivileged_port_start', value: '0' },
    { path: '/proc/sys/net/ipv4/ping_group_range', value: '0 2147483647' },
    { path: '/proc/sys/net/ipv6/conf/default/accept_ra', value: '0' },
    { path: '/proc/sys/net/ipv6/conf/default/accept_dad', value: '0' },
  ]);
});

test('a pod without IPv6 addresses has no IPv6; a kernel without it is not asked', (t) => {
  t.true(podSysctls({}, false).some(({ path, value }) => path.endsWith('/disable_ipv6') && value === '1'));
  t.false(podSysctls({}, undefined).some(({ path }) => path.includes('ipv6')));
});

test('what the user wants comes instead of the default', (t) => {
  const wanted = { 'net.ipv4.ip_unprivileged_port_start': '1024', 'net.core.somaxconn': '4096', 'kernel.shmmax': '1' };
  const values = new Map(podSysctls(wanted, undefined).map(({ path, value }) => [path, value]));
  t.is(values.get('/proc/sys/net/ipv4/ip_unprivileged_port_start'), '1024');
  t.is(values.get('/proc/sys/net/core/somaxconn'), '4096');
  t.is(values.get('/proc/sys/kernel/shmmax'), '1');
});

const names = [
  'kernel.core_pattern',
  'kernel.domainname',
  'vm.swappiness',
  'fs.file-max',
  'net/ipv4/ip_forward',
  'net.ipv4.ip_forward+kernel.core_pattern',
  'net...kernel.core_pattern',
  'net.',
  'netx.y',
  'net.ipv4.conf.eth0/../all.x',
  'NET.ipv4.ip_forward',
  '',
];
for (const name of names) {
  test(`sysctl '${name}' is refused (SEC-8)`, (t) => {
    const error = t.throws(() => podSysctls({ [name]: '1' }, undefined), { message: /is not one that a pod can have/ });
    t.true(isOciError(error, 'NETWORK_INVALID'));
  });
}

test('a value of several lines is refused', (t) => {
  t.throws(() => podSysctls({ 'net.core.somaxconn': '1\n2' }, undefined), { message: /line of plain text/ });
});
