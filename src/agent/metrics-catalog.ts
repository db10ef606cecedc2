// Every metric, its help and its own labels, on one page. docs/metrics.md explains them; a test compares the two.

export type MetricDefinition = {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Without the labels that every row of its group has. */
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
};

/** A container, a pod's network, or the machine (`id="/"`): the labels that every `container_*` series has. */
export const CONTAINER_LABELS = ['id', 'name', 'image', 'namespace', 'pod', 'container'] as const;

const WORKLOAD = ['kind', 'namespace', 'workload'] as const;
const MILLISECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
const TO_AN_HOUR = [0.5, 1, 2.5, 5, 10, 30, 60, 150, 300, 600, 1800, 3600] as const;
const TO_HALF_AN_HOUR = [...MILLISECONDS, 300, 1800] as const;
const FAILURE_TYPE = ['failure_type', 'scope'] as const;

/** As cAdvisor names and labels them, so that existing dashboards and alerts work. */
export const CONTAINER_METRICS = {
  container_cpu_usage_seconds_total: { type: 'counter', help: 'Processor time used', labels: ['cpu'] },
  container_cpu_user_seconds_total: { type: 'counter', help: 'Processor time used by programs' },
  container_cpu_system_seconds_total: { type: 'counter', help: 'Processor time used by the kernel for programs' },
  container_cpu_cfs_periods_total: { type: 'counter', help: 'Enforcement periods passed; only with a processor limit' },
  container_cpu_cfs_throttled_periods_total: { type: 'counter', help: 'Periods in which the limit was met' },
  container_cpu_cfs_throttled_seconds_total: { type: 'counter', help: 'Time held up by the limit' },
  container_spec_cpu_period: { type: 'gauge', help: 'Period of the processor limit in microseconds' },
  container_spec_cpu_quota: { type: 'gauge', help: 'Processor time a period in microseconds; absent: unlimited' },
  container_spec_cpu_shares: { type: 'gauge', help: 'Weight when processors are short' },
  container_memory_usage_bytes: { type: 'gauge', help: 'Memory in use, page cache included' },
  container_memory_working_set_bytes: { type: 'gauge', help: 'Memory in use without page cache that is easily freed' },
  container_memory_rss: { type: 'gauge', help: 'Anonymous memory in bytes' },
  container_memory_cache: { type: 'gauge', help: 'Page cache in bytes' },
  container_memory_mapped_file: { type: 'gauge', help: 'Mapped files in bytes' },
  container_memory_swap: { type: 'gauge', help: 'Swap in use in bytes' },
  container_memory_max_usage_bytes: { type: 'gauge', help: 'Highest memory use so far' },
  container_memory_failcnt: { type: 'counter', help: 'How often the memory limit was met' },
  container_memory_failures_total: { type: 'counter', help: 'Page faults', labels: FAILURE_TYPE },
  container_spec_memory_limit_bytes: { type: 'gauge', help: 'Memory limit; 0: unlimited' },
  container_spec_memory_reservation_limit_bytes: { type: 'gauge', help: 'Memory reservation; 0: none' },
  container_spec_memory_swap_limit_bytes: { type: 'gauge', help: 'Limit of memory and swap; 0: unlimited' },
  container_oom_events_total: { type: 'counter', help: 'Processes ended because memory ran out' },
  container_network_receive_bytes_total: { type: 'counter', help: 'Bytes received', labels: ['interface'] },
  container_network_receive_packets_total: { type: 'counter', help: 'Packets received', labels: ['interface'] },
  container_network_receive_errors_total: { type: 'counter', help: 'Errors while receiving', labels: ['interface'] },
  container_network_receive_packets_dropped_total: {
    type: 'counter',
    help: 'Received packets dropped',
    labels: ['interface'],
  },
  container_network_transmit_bytes_total: { type: 'counter', help: 'Bytes sent', labels: ['interface'] },
  container_network_transmit_packets_total: { type: 'counter', help: 'Packets sent', labels: ['interface'] },
  container_network_transmit_errors_total: { type: 'counter', help: 'Errors while sending', labels: ['interface'] },
  container_network_transmit_packets_dropped_total: {
    type: 'counter',
    help: 'Packets to send that were dropped',
    labels: ['interface'],
  },
  container_fs_usage_bytes: { type: 'gauge', help: 'Disk space of the writable layer', labels: ['device'] },
  container_fs_limit_bytes: { type: 'gauge', help: 'Size of the file system it is on', labels: ['device'] },
  container_fs_reads_bytes_total: { type: 'counter', help: 'Bytes read from a device', labels: ['device'] },
  container_fs_writes_bytes_total: { type: 'counter', help: 'Bytes written to a device', labels: ['device'] },
  container_fs_reads_total: { type: 'counter', help: 'Reads from a device', labels: ['device'] },
  container_fs_writes_total: { type: 'counter', help: 'Writes to a device', labels: ['device'] },
  container_last_seen: { type: 'gauge', help: 'When it was last seen running; stays 10 minutes when it should run' },
  container_start_time_seconds: { type: 'gauge', help: 'When it was started' },
  container_processes: { type: 'gauge', help: 'Running processes' },
  container_threads: { type: 'gauge', help: 'Running threads' },
  container_threads_max: { type: 'gauge', help: 'Limit of threads; absent: unlimited' },
  container_pressure_cpu_waiting_seconds_total: { type: 'counter', help: 'Some task waited for a processor' },
  container_pressure_cpu_stalled_seconds_total: { type: 'counter', help: 'All tasks waited for a processor' },
  container_pressure_memory_waiting_seconds_total: { type: 'counter', help: 'Some task waited for memory' },
  container_pressure_memory_stalled_seconds_total: { type: 'counter', help: 'All tasks waited for memory' },
  container_pressure_io_waiting_seconds_total: { type: 'counter', help: 'Some task waited for a device' },
  container_pressure_io_stalled_seconds_total: { type: 'counter', help: 'All tasks waited for a device' },
  container_restarts_total: { type: 'counter', help: 'How often it was started again' },
  container_health_state: { type: 'gauge', help: '1 ready, 0 not ready or starting, -1 without probes' },
  container_scrape_error: { type: 'gauge', help: '1 when a container could not be read, else 0' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export const MACHINE_METRICS = {
  machine_cpu_cores: { type: 'gauge', help: 'Processors of this machine' },
  machine_memory_bytes: { type: 'gauge', help: 'Memory of this machine' },
  machine_swap_bytes: { type: 'gauge', help: 'Swap of this machine' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** The part of kube-state-metrics that common alerts ask for. */
export const KUBE_METRICS = {
  kube_pod_container_status_restarts_total: {
    type: 'counter',
    help: 'How often a container was started again',
    labels: ['namespace', 'pod', 'container', 'uid'],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Read when asked. */
export const STATE_METRICS = {
  berth_build_info: { type: 'gauge', help: '1, with the versions', labels: ['version', 'node', 'arch', 'kernel'] },
  berth_containers: { type: 'gauge', help: 'Containers by state', labels: ['state'] },
  berth_workload_info: {
    type: 'gauge',
    help: '1 for each declared workload',
    labels: [...WORKLOAD, 'source', 'revision'],
  },
  berth_workload_condition: {
    type: 'gauge',
    help: '1 for the status that a condition has, 0 for the other',
    labels: [...WORKLOAD, 'type', 'status'],
  },
  berth_source_info: { type: 'gauge', help: '1, with the revision in force', labels: ['source', 'kind', 'revision'] },
  berth_source_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the source was last read well',
    labels: ['source'],
  },
  berth_image_store_bytes: { type: 'gauge', help: 'Size of the blobs in the content store' },
  berth_disk_written_bytes_total: { type: 'counter', help: 'Bytes that the agent itself caused to be written' },
  process_cpu_user_seconds_total: { type: 'counter', help: 'Processor time of the agent in user mode' },
  process_cpu_system_seconds_total: { type: 'counter', help: 'Processor time of the agent in the kernel' },
  process_cpu_seconds_total: { type: 'counter', help: 'Processor time of the agent' },
  process_start_time_seconds: { type: 'gauge', help: 'When the agent was started' },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the agent' },
  process_open_fds: { type: 'gauge', help: 'Open file descriptors of the agent' },
  nodejs_heap_size_total_bytes: { type: 'gauge', help: 'Heap of the agent' },
  nodejs_heap_size_used_bytes: { type: 'gauge', help: 'Heap of the agent in use' },
  nodejs_external_memory_bytes: { type: 'gauge', help: 'Memory of the agent outside the heap that the heap holds' },
  nodejs_version_info: { type: 'gauge', help: '1, with the version of Node', labels: ['version'] },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Counted as things happen. */
export const EVENT_METRICS = {
  berth_source_fetch_total: { type: 'counter', help: 'Looks at a source by result', labels: ['source', 'result'] },
  berth_source_failures_total: {
    type: 'counter',
    help: 'What was wrong with a source, by the code of the error',
    labels: ['source', 'code'],
  },
  berth_reconcile_total: { type: 'counter', help: 'Looks at workloads by result', labels: ['result'] },
  berth_reconcile_duration_seconds: { type: 'histogram', help: 'Duration of looks', buckets: MILLISECONDS },
  berth_step_total: { type: 'counter', help: 'Steps carried out by result', labels: ['step', 'result'] },
  berth_step_duration_seconds: {
    type: 'histogram',
    help: 'Duration of steps that were done',
    labels: ['step'],
    buckets: MILLISECONDS,
  },
  berth_start_phase_duration_seconds: {
    type: 'histogram',
    help: 'Where the time of starts goes',
    labels: ['phase'],
    buckets: TO_HALF_AN_HOUR,
  },
  berth_image_pull_total: { type: 'counter', help: 'Image pulls by result', labels: ['registry', 'result'] },
  berth_image_pull_duration_seconds: {
    type: 'histogram',
    help: 'Duration of pulls that were done',
    buckets: TO_AN_HOUR,
  },
  berth_image_pull_bytes_total: { type: 'counter', help: 'Bytes fetched from registries', labels: ['registry'] },
  berth_image_import_total: { type: 'counter', help: 'Image archives of sources by result', labels: ['result'] },
  berth_probe_total: {
    type: 'counter',
    help: 'Probes by result',
    labels: ['probe_type', 'result', 'namespace', 'pod', 'container', 'pod_uid'],
  },
  berth_record_failures_total: { type: 'counter', help: 'Times the desired record could not be read or written' },
  berth_event_loop_lag_seconds: {
    type: 'histogram',
    help: 'How late a timer of the agent fired',
    buckets: MILLISECONDS,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type ContainerMetricName = keyof typeof CONTAINER_METRICS;
export type StateMetricName = keyof typeof STATE_METRICS;
