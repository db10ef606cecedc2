// Limits as config-linux.md, "Control groups", has them: bytes, microseconds, counts; -1 is no limit.

export type CgroupResources = {
  readonly devices?: readonly CgroupDeviceRule[];
  readonly memory?: MemoryLimits;
  readonly cpu?: CpuLimits;
  readonly pids?: { readonly limit?: number };
  readonly blockIO?: BlockIoLimits;
  readonly hugepageLimits?: readonly HugePageLimit[];
  /** v1 only. */
  readonly network?: NetworkLimits;
  /** Name of a device to what may be had of it. */
  readonly rdma?: Readonly<Record<string, RdmaLimit>>;
  /** v2 only: file name to value, as written. */
  readonly unified?: Readonly<Record<string, string>>;
};

export type MemoryLimits = {
  readonly limit?: number;
  readonly reservation?: number;
  /** Memory and swap together. */
  readonly swap?: number;
  /** v1 of kernels before 5.16 only. */
  readonly kernel?: number;
  /** v1 only. */
  readonly kernelTCP?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  /** v2, and v1 since 5.11, have no other way. */
  readonly useHierarchy?: boolean;
  /** Refuse a limit below what is used now; v1 does so in any case. */
  readonly checkBeforeUpdate?: boolean;
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
  /** CFQ only, which is gone since 5.0. */
  readonly leafWeight?: number;
  readonly weightDevice?: readonly DeviceWeight[];
  readonly throttleReadBpsDevice?: readonly DeviceRate[];
  readonly throttleWriteBpsDevice?: readonly DeviceRate[];
  readonly throttleReadIOPSDevice?: readonly DeviceRate[];
  readonly throttleWriteIOPSDevice?: readonly DeviceRate[];
};

export type DeviceWeight = {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
};

export type HugePageLimit = { readonly pageSize: string; readonly limit: number };

export type NetworkLimits = {
  readonly classID?: number;
  readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
};

export type RdmaLimit = { readonly hcaHandles?: number; readonly hcaObjects?: number };

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
