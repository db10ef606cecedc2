// A property of a unit, as systemd's D-Bus API takes it: org.freedesktop.systemd1(5).
import type { DbusValue, DbusVariant } from '../../../linux/dbus/value.ts';

export type UnitProperty = readonly [name: string, value: DbusVariant];

/** `signature` is the type of the value. */
export function property(name: string, signature: string, value: DbusValue): UnitProperty {
  return [name, { signature, value }];
}
