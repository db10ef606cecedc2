// Limits as config-linux.md, "Control groups", has them: bytes, microseconds, counts; -1 is no limit.

export type CgroupResources = {
  readonly devices?: readonly CgroupDeviceRule[];
  readonly memory?: MemoryLimits;
  readonly cpu?: CpuLimits;
  readonly pids?: { readonly limit?: number };
  readonly blockIO?: BlockIoLimits;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  /** v2 only: file name to value, as written. */
  readonly unified?: Readonly<Record<string, string>>;
};

export type MemoryLimits = {
  readonly limit?: number;
  readonly reservation?: number;
  /** Memory and swap together. */
  readonly swap?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
};

export type CpuLimits = {
  readonly shares?: number;
  readonly quota?: number;
  readonly period?: number;
  readonly burst?: number;
  readonly idle?: number;
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  readonly cpus?: string;
  readonly mems?: string;
};

export type BlockIoLimits = {
  readonly weight?: number;
  readonly throttleReadBpsDevice?: readonly DeviceRate[];
  readonly throttleWriteBpsDevice?: readonly DeviceRate[];
  readonly throttleReadIOPSDevice?: readonly DeviceRate[];
  readonly throttleWriteIOPSDevice?: readonly DeviceRate[];
};

export type DeviceRate = { readonly major: number; readonly minor: number; readonly rate: number };

export type CgroupDeviceRule = {
  readonly allow: boolean;
  /** Absent or `a`: character and block devices. */
  readonly type?: 'a' | 'c' | 'b';
  /** Absent or -1: any. */
  readonly major?: number;
  readonly minor?: number;
  /** Any of r, w and m; absent: all. */
  readonly access?: string;
};
